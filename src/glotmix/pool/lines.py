"""The lines of a text file, in blocks: memory does not grow with the file, nor with a line of 2 GB."""

from collections.abc import Iterator
from typing import BinaryIO

import polars as pl

BLOCK = 16 * 2**20  # bytes read at once
LONGEST_LINE = 1_000_000  # bytes


def line_blocks(stream: BinaryIO) -> Iterator[pl.DataFrame]:
    """The lines without their ends, as frames of `line, raw, reason`. Of an endless line only the start is kept."""
    first = 1
    for block in _whole_lines(stream):
        text = _lines(block)
        numbers = pl.Series("line", range(first, first + len(text)), dtype=pl.Int64)
        first += len(text)
        too_long = pl.when(pl.col("raw").str.len_bytes() > LONGEST_LINE).then(pl.lit("line too long"))
        yield text.insert_column(0, numbers).with_columns(reason=too_long.otherwise("reason"))


def _whole_lines(stream: BinaryIO) -> Iterator[bytes]:
    rest = b""
    block = stream.read(BLOCK).removeprefix(b"\xef\xbb\xbf")
    while block:
        end = block.rfind(b"\n") + 1
        if end:
            yield rest + block[:end]
            rest = b""
        rest = (rest + block[end:])[: LONGEST_LINE + 1]
        block = stream.read(BLOCK)
    if rest:
        yield rest


def _lines(block: bytes) -> pl.DataFrame:
    """Columns raw, reason."""
    try:
        text = pl.Series("raw", [block.removesuffix(b"\n").decode()]).str.split("\n").explode()
        return text.to_frame().select(pl.col("raw").str.strip_suffix("\r"), reason=pl.lit(""))
    except UnicodeDecodeError:
        texts = [decoded(line.removesuffix(b"\r")) for line in block.removesuffix(b"\n").split(b"\n")]
        return pl.DataFrame(texts, schema={"raw": pl.String, "reason": pl.String}, orient="row")


def decoded(line: bytes) -> tuple[str, str]:
    """The text and "", or what can be shown of it and why."""
    try:
        return line.decode(), ""
    except UnicodeDecodeError:
        return line.decode("utf-8", "backslashreplace"), "not UTF-8"
