"""What an item of lm_eval is called and how its value reads, the same for runs made here and files made elsewhere."""

import polars as pl


def item_ids(doc_id: pl.Expr, language: pl.Expr, items: str) -> pl.Expr:
    """Shared items are the documents' numbers; disjoint ones have the language before them.

    Sharing errs on the safe side: if documents of one number are no translations of each other, keeping them together
    costs nothing but a note, while treating translations as independent makes intervals too narrow.
    """
    number = doc_id.cast(pl.String)
    return number if items == "shared" else pl.concat_str(language, number, separator=":")


def verdicts(value: pl.Expr) -> pl.Expr:
    """lm_eval scores an answer and says no more of it: `correct` has the whole score, all else is `wrong`."""
    return pl.when(value == 1).then(pl.lit("correct")).otherwise(pl.lit("wrong"))
