"""Writes `docs/evidence.md` of this working copy."""

from glotmix.evidence.page import FILE, page
from glotmix.evidence.studies import checks

if __name__ == "__main__":
    FILE.write_text(page(checks()), encoding="utf-8")
