"""Large tables fit: nothing is held that no question asks for, and no record is hashed by six texts."""

import subprocess
import sys

PROGRAM = """
import resource, sys
from pathlib import Path
from glotmix.analysis import findings
from glotmix.analysis.read import read_table
def peak(): return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
before = peak()
found = findings(read_table(Path(sys.argv[1])).results)
print(len(found), peak() - before)
"""


def test_a_million_answers_take_less_than_600_mb(tmp_path):
    from analysis import Shape, write_results

    write_results(tmp_path / "t.parquet", Shape(tasks=1, settings=10, seeds=5, languages=8, items=2500))
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(tmp_path / "t.parquet")], capture_output=True, text=True, check=True
    )
    count, megabytes = map(float, done.stdout.split())
    assert count > 0
    assert megabytes < 600
