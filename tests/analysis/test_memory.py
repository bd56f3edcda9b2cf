"""Large tables fit: nothing is held that no question asks for, and no record is hashed by six texts."""

import subprocess
import sys

PROGRAM = """
import sys
from pathlib import Path
from glotmix.analysis import findings
from glotmix.analysis.read import read_table
def peak():  # ru_maxrss would begin with that of the process that started this one
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 1024
before = peak()
found = findings(read_table(Path(sys.argv[1])).results)
print(len(found), peak() - before)
"""


def test_a_million_answers_take_less_than_600_mb_from_parquet_or_csv(tmp_path):
    from analysis import Shape, write_csv, write_results

    write_results(tmp_path / "t.parquet", Shape(tasks=1, settings=10, seeds=5, languages=8, items=2500))
    write_csv(tmp_path / "t.parquet", tmp_path / "t.csv")
    for name in ("t.parquet", "t.csv"):
        done = subprocess.run(
            [sys.executable, "-c", PROGRAM, str(tmp_path / name)], capture_output=True, text=True, check=True
        )
        count, megabytes = map(float, done.stdout.split())
        assert count > 0
        assert 0 < megabytes < 600, name
