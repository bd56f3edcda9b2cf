"""Studies to start from: a preset is a study file beside this one."""

from pathlib import Path

from glotmix.errors import UserError

PRESETS = tuple(sorted(file.stem for file in Path(__file__).parent.glob("*.yaml")))


def init_study(folder: Path, preset: str) -> Path:
    """Puts the preset's study file into the folder and returns its path.

    Raises:
        UserError: no such preset, or another study file is there, or the folder can't be written.
    """
    if preset not in PRESETS:
        raise UserError(f"--preset: no preset {preset!r}; there are {', '.join(PRESETS)}")
    text = (Path(__file__).parent / f"{preset}.yaml").read_text(encoding="utf-8")
    file = folder / "study.yaml"
    try:
        if file.exists() and file.read_text(encoding="utf-8") != text:
            raise UserError(f"{file}: another study is there; choose another folder or remove the file")
        folder.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"{file}: can't be written ({error}); choose another folder") from None
    return file
