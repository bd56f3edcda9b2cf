"""One file per question that a table can answer across its settings: its formula, its source, its refusals."""
