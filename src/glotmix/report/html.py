"""What every page has in common.

1. It loads nothing and runs nothing: a content security policy forbids both.
2. Every text is escaped; control characters are shown as symbols.
3. The same inputs give the same bytes.
"""

from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from glotmix.analysis.families import short
from glotmix.errors import GlotmixError
from glotmix.language import Language
from glotmix.report import text

HERE = Path(__file__).parent
CONTROL = {code: 0x2400 + code for code in range(32) if code not in (9, 10)} | {127: 0x2421}


def render_page(template: str, **values: object) -> str:
    """The page as text; the template is a file beside this one and gets `css`, `language` and the values."""
    environment = Environment(
        loader=FileSystemLoader(HERE), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters |= {"count": text.count, "duration": text.duration, "percent": text.percent, "short": short}
    environment.globals["language"] = Language.get
    css = Markup((HERE / "report.css").read_text(encoding="utf-8"))
    return environment.get_template(template).render(css=css, **values).translate(CONTROL)


def write_page(html: str, out: Path) -> None:
    """
    Raises:
        GlotmixError: the file can't be written.
    """
    try:
        out.write_text(html, encoding="utf-8")
    except OSError as error:
        raise GlotmixError(
            f"{out}: can't write the report ({error.strerror}); free space or choose a folder"
        ) from error
