"""Designs: families of mixtures that a study compares.

1. The study file declares designs, each of a kind: one module here per kind writes its settings out, in exact counts.
2. A setting becomes a cell: with its models, its seeds, and the baseline it is compared with. With `task_mode: single`
   it becomes one cell per task.
3. Controls are cells made from cells. `cells` gives all cells of a study.
"""

from glotmix.design.cell import Cell
from glotmix.design.cells import cells

__all__ = ["Cell", "cells"]
