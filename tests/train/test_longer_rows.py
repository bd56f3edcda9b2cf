"""Rows longer than the recipe allows are refused, dropped or truncated, and always counted by language."""

from dataclasses import replace

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from glotmix.errors import UserError
from glotmix.generate.load import load_tokenizer
from glotmix.lab.models import model_path
from glotmix.mixture import Mixture, MixtureSpec, build_mixture, training_order
from glotmix.pool import open_pool
from glotmix.spec import Order, Recipe
from glotmix.train.batch import target_tokens
from glotmix.train.encode import EncodedRows, encode_rows, left_out

BASE = model_path("lab-1m")
COUNTS = {"math": {"en": 9, "ja": 7}, "summarization": {"es": 5}}
ORDERS = [Order(), Order(kind="interleaved"), Order(kind="staged", anchor="last")]


@pytest.fixture(scope="module")
def mixture() -> Mixture:
    return build_mixture(MixtureSpec(counts=COUNTS), open_pool("lab"))


def encoded(rows: pl.DataFrame, policy: str, max_tokens: int = 2048) -> EncodedRows:
    recipe = Recipe(steps=1, max_tokens=max_tokens, longer_rows=policy)
    return encode_rows(rows, recipe, load_tokenizer(BASE))


@pytest.fixture(scope="module")
def lengths(mixture: Mixture) -> dict[str, int]:
    return {row_id: len(row.ids) for row_id, row in encoded(mixture.rows, "refuse").by_id.items()}


def kept_by_all(lengths: dict[str, int], mixture: Mixture) -> list[int]:
    """Lengths that leave every task and language a row."""
    cells = mixture.rows.select("row_id", "task", "language").rows()
    shortest = max(min(lengths[row] for row, *at in cells if at == place) for place in map(list, PLACES))
    return list(range(shortest, max(lengths.values()) + 1))


PLACES = [("math", "en"), ("math", "ja"), ("summarization", "es")]


@settings(max_examples=15, deadline=None)
@given(data=st.data(), policy=st.sampled_from(["drop", "truncate"]))
def test_what_is_longer_is_counted_by_language_and_nothing_else_changes(mixture, lengths, data, policy):
    most = data.draw(st.sampled_from(kept_by_all(lengths, mixture)))
    twice = pl.concat([mixture.rows, mixture.rows.head(3)])  # a row that is there twice counts twice
    found, whole = encoded(twice, policy, most), encoded(mixture.rows, "refuse").by_id
    fitting = {row_id for row_id, tokens in lengths.items() if tokens <= most}
    assert {row_id: found.by_id[row_id] for row_id in fitting} == {row_id: whole[row_id] for row_id in fitting}
    assert found.by_id.keys() == (fitting if policy == "drop" else lengths.keys())
    assert all(len(found.by_id[row_id].ids) == most for row_id in found.by_id.keys() - fitting)
    assert [(task, tag) for _, task, tag, *_ in found.longer.rows()] == PLACES
    for split, task, tag, rows, longer in found.longer.rows():
        ids = twice.filter(task=task, language=tag, split=split)["row_id"]
        assert (rows, longer) == (len(ids), sum(row_id not in fitting for row_id in ids))


@settings(max_examples=30, deadline=None)
@given(data=st.data(), seed=st.integers(0, 99), batch_rows=st.integers(1, 9), steps=st.integers(1, 9))
@pytest.mark.parametrize("order", ORDERS, ids=lambda order: order.kind)
def test_rows_that_come_next_take_the_places_of_dropped_ones(mixture, order, data, seed, batch_rows, steps):
    """As if the mixture had never had them; so every step has its rows, and there are as many steps."""
    ids = mixture.rows["row_id"].to_list()
    dropped = set(data.draw(st.lists(st.sampled_from(ids), max_size=len(ids) - 1, unique=True)))
    without = replace(mixture, rows=mixture.rows.filter(~pl.col("row_id").is_in(list(dropped))))
    found = training_order(mixture, seed, batch_rows, steps, order, "en", dropped)
    assert found == training_order(without, seed, batch_rows, steps, order, "en")
    assert len(found) == batch_rows * steps and not dropped & set(found)


def test_shuffled_rows_keep_their_order_when_others_are_dropped(mixture):
    whole, dropped = training_order(mixture, 3, len(mixture.rows), 1), mixture.row_ids[::2]
    assert training_order(mixture, 3, 1, len(mixture.rows) - len(dropped), left_out=dropped) == [
        row_id for row_id in whole if row_id not in dropped
    ]


def test_only_drop_leaves_rows_out(mixture, lengths):
    most = kept_by_all(lengths, mixture)[0]
    out = {
        policy: left_out(mixture.rows, Recipe(steps=1, max_tokens=most, longer_rows=policy), BASE)
        for policy in ("refuse", "drop", "truncate")
    }
    assert out == {"refuse": set(), "truncate": set(), "drop": {row for row, size in lengths.items() if size > most}}


def test_a_language_of_which_nothing_is_left_is_refused(mixture):
    expected = (
        "recipe.longer_rows: drop leaves no train rows of math in en: all 9 are longer than max_tokens 40; raise"
        " recipe.max_tokens"
    )
    with pytest.raises(UserError) as refused:
        encoded(mixture.rows, "drop", 40)
    assert str(refused.value) == expected


def test_longer_rows_are_refused_by_name_with_both_ways_out(mixture, lengths):
    most = max(lengths.values())
    longest = [row_id for row_id in mixture.row_ids if lengths[row_id] == most]
    told = rf"{len(longest)} of 21 rows .* {longest[0]} with {most} tokens; .* longer_rows: drop or truncate"
    with pytest.raises(UserError, match=told):
        encoded(mixture.rows, "refuse", most - 1)


def test_truncating_down_to_the_prompt_is_refused_with_the_way_out(mixture):
    with pytest.raises(UserError, match=r"max_tokens 5 leaves 21 of 21 longer rows no token.*set longer_rows: drop"):
        encoded(mixture.rows, "truncate", 5)


@pytest.mark.parametrize("loss_on", ["answer", "all"])
def test_a_truncated_row_keeps_its_prompt_and_has_targets(mixture, loss_on):
    whole = encoded(mixture.rows, "refuse").by_id
    most = max(row.prompt_tokens for row in whole.values()) + 1
    recipe = Recipe(steps=1, max_tokens=most, longer_rows="truncate", loss_on=loss_on)
    found = encode_rows(mixture.rows, recipe, load_tokenizer(BASE)).by_id
    assert all(found[row_id].ids == whole[row_id].ids[:most] for row_id in whole)
    assert all(found[row_id].prompt_tokens == whole[row_id].prompt_tokens for row_id in whole)
    shortest = min(len(row.ids) for row in whole.values())
    assert min(target_tokens(row, loss_on) for row in found.values()) == (1 if loss_on == "answer" else shortest - 1)
