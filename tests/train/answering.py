"""What each of two processes does in `test_checkpoint_selection`: a training selected by scores, into a folder."""

import sys
from pathlib import Path

from test_checkpoint_selection import trained

if __name__ == "__main__":
    trained(Path(sys.argv[1]), learning_rate=1e-3, steps=4)
