"""Designs: families of mixtures that a study compares. `cells` writes one out."""

from glotmix.design.cells import Cell, cells

__all__ = ["Cell", "cells"]
