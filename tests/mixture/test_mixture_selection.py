"""Contract 1: rows are selected by a ranking that nothing else in a mixture or study moves."""

import hashlib
import json
from collections.abc import Mapping
from functools import cache
from itertools import combinations
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import xxhash
from hypothesis import given, settings
from hypothesis import strategies as st
from toy_pool import PARALLEL, POOL, TAGS, TASKS, ToyPool

from glotmix.errors import GlotmixError, UserError
from glotmix.mixture import Mixture, MixtureBuilder, MixtureSpec, TooFewRows, build_mixture, select
from glotmix.mixture.select import Selector
from glotmix.pool import ROW_SCHEMA, open_pool
from glotmix.pool.content import content_hash, row_hashes

specs = st.fixed_dictionaries(
    {
        "counts": st.dictionaries(
            st.sampled_from(TASKS),
            st.dictionaries(st.sampled_from(TAGS), st.integers(1, 4), min_size=1),
            min_size=1,
        ),
        "items": st.sampled_from(["shared", "disjoint"]),
        "seed": st.integers(0, 2**40),
    }
)
cell = st.tuples(st.sampled_from(TASKS), st.sampled_from(TAGS))


def selected(spec: Mapping[str, Any], task: str, language: str, pool: ToyPool = POOL) -> list[str]:
    """Items of one cell of a mixture, in order."""
    rows = build_mixture(MixtureSpec.model_validate(spec), pool).rows
    return rows.filter(task=task, language=language)["item_id"].to_list()


def with_rows(spec: dict[str, Any], task: str, language: str, rows: int) -> dict[str, Any]:
    counts = {name: dict(by_language) for name, by_language in spec["counts"].items()}
    counts.setdefault(task, {})[language] = rows
    return spec | {"counts": counts}


def shuffled(mapping: Mapping[str, Any]) -> dict[str, Any]:
    return dict(reversed(mapping.items()))


@settings(max_examples=40, deadline=None)
@given(specs, cell, st.integers(1, 4), st.integers(1, 4))
def test_fewer_rows_are_a_prefix_of_more(spec: dict[str, Any], at: tuple[str, str], few: int, more: int) -> None:
    small, large = sorted([few, more])
    assert selected(with_rows(spec, *at, large), *at)[:small] == selected(with_rows(spec, *at, small), *at)


@settings(max_examples=40, deadline=None)
@given(specs, specs, cell, st.integers(1, 4))
def test_other_languages_and_tasks_move_no_row(
    spec: dict[str, Any], other: dict[str, Any], at: tuple[str, str], rows: int
) -> None:
    """Everything else in the mixture is exchanged for something else."""
    same_setting = other | {"items": spec["items"], "seed": spec["seed"]}
    assert selected(with_rows(spec, *at, rows), *at) == selected(with_rows(same_setting, *at, rows), *at)


@settings(max_examples=40, deadline=None)
@given(specs)
def test_the_order_in_which_spec_and_pool_list_things_changes_nothing(spec: dict[str, Any]) -> None:
    turned = spec | {"counts": shuffled({task: shuffled(counts) for task, counts in spec["counts"].items()})}
    turned_pool = ToyPool({tag: PARALLEL[tag][::-1] for tag in reversed(TAGS)})
    one = build_mixture(MixtureSpec.model_validate(spec), POOL)
    two = build_mixture(MixtureSpec.model_validate(turned), turned_pool)
    assert one.spec == two.spec
    assert one.rows.equals(two.rows)
    assert one.content_hash == two.content_hash
    assert json.dumps(one.manifest()) == json.dumps(two.manifest())


@settings(max_examples=40, deadline=None)
@given(specs)
def test_counts_are_exact_and_no_row_comes_twice(spec: dict[str, Any]) -> None:
    mixture = build_mixture(MixtureSpec.model_validate(spec), POOL)
    asked = {(task, tag): rows for task, counts in spec["counts"].items() for tag, rows in counts.items()}
    assert {(task, tag): rows for task, tag, rows in mixture.counts().rows()} == asked
    assert len(set(mixture.row_ids)) == len(mixture.row_ids) == sum(asked.values())
    assert mixture.rows.schema == ROW_SCHEMA


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**40), st.integers(1, 200))
def test_shared_items_are_translations_of_the_same_problems(seed: int, rows: int) -> None:
    spec = {"counts": {"math": dict.fromkeys(TAGS, rows)}, "items": "shared", "seed": seed}
    assert len({tuple(selected(spec, "math", tag)) for tag in TAGS}) == 1


held = st.dictionaries(
    st.sampled_from(TAGS), st.sets(st.integers(0, 30).map(lambda n: f"item-{n}")), min_size=1, max_size=5
)


@settings(max_examples=40, deadline=None)
@given(held, st.integers(0, 2**40))
def test_disjoint_items_belong_to_exactly_one_language_that_has_them(held: dict[str, set[str]], seed: int) -> None:
    """Also where languages have different items: none is lost, none is owned twice."""
    pool = ToyPool({tag: sorted(items) for tag, items in held.items()})
    owned = {tag: all_owned(pool, tag, seed) for tag in held}
    for one, two in combinations(owned.values(), 2):
        assert not set(one) & set(two)
    everything = {f"math-train-{item}" for items in held.values() for item in items}
    assert set().union(*owned.values()) == everything
    assert all(set(items) <= set(pool.item_ids("math", tag, "train")) for tag, items in owned.items())


def all_owned(pool: ToyPool, language: str, seed: int) -> list[str]:
    return Selector(pool, "train", "disjoint", seed).first("math", language, 10**6).to_list()


def by_definition(items: Mapping[str, set[str]], language: str, seed: int, disjoint: bool) -> list[str]:
    """The ranking, as contract 1 words it: one item after the other, with another library."""

    @cache
    def secret(*key: str | int) -> int:
        return int.from_bytes(hashlib.blake2b(json.dumps(key).encode(), digest_size=8).digest(), "big")

    def keyed(item: str, *key: str | int) -> int:
        return xxhash.xxh3_64_intdigest(item.encode(), secret(*key))

    def owner(item: str) -> str:
        having = [tag for tag in items if item in items[tag]]
        return max(having, key=lambda tag: (keyed(item, "owner", seed, "math", tag), tag))

    ranking = sorted(items[language], key=lambda item: (keyed(item, "items", seed, "math"), item))
    return [item for item in ranking if not disjoint or owner(item) == language]


@settings(max_examples=25, deadline=None)
@given(
    st.dictionaries(st.sampled_from(TAGS), st.integers(0, 700), min_size=1),
    st.integers(0, 2**40),
    st.booleans(),
)
def test_looking_only_at_the_best_of_a_large_pool_finds_the_same_items(
    sizes: dict[str, int], seed: int, disjoint: bool
) -> None:
    """Unequal sets too, where a language owns far less than its share and more must be looked at."""
    items = {tag: {f"math-train-{number}" for number in range(size)} for tag, size in sizes.items()}
    pool = ToyPool({tag: [item.removeprefix("math-train-") for item in some] for tag, some in items.items()})
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(select, "SPARE", 0)
        selector = Selector(pool, "train", "disjoint" if disjoint else "shared", seed)
        for tag in sizes:
            ranking = by_definition(items, tag, seed, disjoint)
            for rows in (1, 2, 3, 40):
                assert selector.first("math", tag, rows).to_list() == ranking[:rows]


def test_disjoint_shares_are_about_equal() -> None:
    items = [f"item-{number}" for number in range(1000)]
    pool = ToyPool(dict.fromkeys(TAGS, items))
    shares = [len(all_owned(pool, tag, 7)) for tag in ("en", "zh")]
    assert all(150 < share < 250 for share in shares)


def test_other_seeds_and_tasks_select_other_rows() -> None:
    spec = {"counts": {"math": {"en": 20}, "api_calls": {"en": 20}}}
    numbers = {
        (seed, task): [item.rpartition("-")[2] for item in selected(spec | {"seed": seed}, task, "en")]
        for seed in (0, 1)
        for task in ("math", "api_calls")
    }
    assert len({tuple(order) for order in numbers.values()}) == 4


def test_the_selection_never_changes() -> None:
    """Pinned: another selection would silently change every study's rows."""
    counts = {"math": {"en": 8, "ja": 8}}

    def numbers(items: str, tag: str) -> list[int]:
        ids = selected({"counts": counts, "items": items, "seed": 0}, "math", tag)
        return [int(item.rpartition("-")[2]) for item in ids]

    assert numbers("shared", "en") == numbers("shared", "ja") == [121, 106, 92, 58, 163, 68, 6, 47]
    assert numbers("disjoint", "en") == [121, 68, 195, 170, 43, 81, 127, 180]
    assert numbers("disjoint", "ja") == [58, 163, 47, 96, 173, 32, 105, 40]
    lab = build_mixture(MixtureSpec(counts={"math": {"en": 3, "sw": 2}}, seed=1), open_pool("lab"))
    assert lab.row_ids[:3] == ["lab-math-030966:en", "lab-math-064857:en", "lab-math-028178:en"]
    assert lab.row_ids[3:] == ["lab-math-030966:sw", "lab-math-064857:sw"]
    assert lab.content_hash == "35d94e2b345d415e6d124ec42360ccf5f31aa24772dd95a7fa888bb00cfa83ef"


def test_more_rows_than_there_are_is_refused_with_the_fix() -> None:
    with pytest.raises(
        UserError, match=r"math in es: 201 train rows asked for, pool toy has 200; ask for at most 200, or"
    ):
        selected({"counts": {"math": {"es": 201}}}, "math", "es")
    with pytest.raises(UserError, match=r"pool toy has [0-9]+ of its own"):
        selected({"counts": {"math": {"es": 200}}, "items": "disjoint"}, "math", "es")
    for repeat in (False, True):
        with pytest.raises(UserError, match="math in fr: 1 train rows asked for, pool toy has 0; leave it out"):
            selected({"counts": {"math": {"fr": 1}}, "repeat": repeat}, "math", "fr")


@settings(max_examples=30, deadline=None)
@given(st.lists(specs, min_size=1, max_size=5), st.booleans(), st.booleans())
def test_mixtures_built_together_are_those_built_alone(
    some: list[dict[str, Any]], told_before: bool, repeat: bool
) -> None:
    wanted = [MixtureSpec.model_validate(spec | {"repeat": repeat}) for spec in some]
    builder = MixtureBuilder(POOL, wanted if told_before else ())
    for spec in wanted:
        together, alone = builder.build(spec), build_mixture(spec, POOL)
        assert together.rows.equals(alone.rows)
        assert together.content_hash == alone.content_hash == content_hash(alone.rows)


def test_a_prefix_that_mixtures_share_is_taken_once() -> None:
    pool = ToyPool(PARALLEL)
    wanted = [MixtureSpec(counts={"math": {"en": 50, "es": rows}}) for rows in (0, 10, 20, 40, 100)]
    builder = MixtureBuilder(pool, wanted)
    built = [builder.build(spec) for spec in wanted]
    assert pool.takes == 2
    assert [len(mixture.rows) for mixture in built] == [50, 60, 70, 90, 150]
    builder.build(MixtureSpec(counts={"math": {"es": 150}}))
    assert pool.takes == 3


def test_too_few_rows_of_one_mixture_leave_the_others_as_they_are() -> None:
    wanted = [MixtureSpec(counts={"math": {"en": rows}}) for rows in (900, 20)]
    builder = MixtureBuilder(POOL, wanted)
    with pytest.raises(TooFewRows, match="has 200; ask for at most 200") as few:
        builder.build(wanted[0])
    assert few.value.language == "en"
    assert len(builder.build(wanted[1]).rows) == 20


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 600), st.sampled_from(["shared", "disjoint"]))
def test_repeats_are_whole_passes_and_then_a_prefix(rows: int, items: str) -> None:
    spec = {"counts": {"math": {"ja": rows}}, "items": items, "repeat": True}
    one_pass = Selector(POOL, "train", items, 0).first("math", "ja", 10**6).to_list()
    assert selected(spec, "math", "ja") == [one_pass[rank % len(one_pass)] for rank in range(rows)]


def test_distinct_rows_are_a_prefix_repeated_also_of_a_pool_that_has_more() -> None:
    counts = {"math": {"en": 5, "ja": 10}}
    mixture = build_mixture(MixtureSpec(counts=counts, distinct={"math": {"en": 40, "ja": 4}}), POOL)
    first = selected({"counts": {"math": {"ja": 4}}}, "math", "ja")
    assert mixture.rows.filter(language="ja")["item_id"].to_list() == [*first, *first, *first[:2]]
    assert mixture.rows.filter(language="en")["item_id"].to_list() == selected(
        {"counts": {"math": {"en": 5}}}, "math", "en"
    )


def test_distinct_rows_that_are_not_there_are_refused() -> None:
    """Else rows would come more often than was asked for."""
    with pytest.raises(UserError, match="math in es: 250 train rows asked for, pool toy has 200; ask for at most 200"):
        build_mixture(MixtureSpec(counts={"math": {"es": 500}}, distinct={"math": {"es": 250}}), POOL)


def test_as_many_distinct_rows_as_rows_go_without_saying() -> None:
    plain = MixtureSpec(counts={"math": {"en": 5, "ja": 9}})
    assert MixtureSpec(counts=plain.counts, distinct={"math": {"en": 5, "ja": 10}, "api_calls": {"en": 1}}) == plain
    with pytest.raises(ValueError, match="math in en: no distinct rows to repeat; give 1 or more"):
        MixtureSpec(counts=plain.counts, distinct={"math": {"en": 0}})


def test_a_manifest_tells_what_the_mixture_is() -> None:
    spec = MixtureSpec(counts={"math": {"en": 2}}, seed=5)
    one, other = (build_mixture(spec, ToyPool(pool)) for pool in (PARALLEL, {"en": PARALLEL["en"][1:]}))
    manifest = one.manifest()
    assert (manifest["pool"], manifest["spec"]) == ("toy", spec.model_dump())
    assert manifest["counts"] == [{"task": "math", "language": "en", "rows": 2}]
    assert manifest["content_hash"] == one.content_hash
    assert (one.row_ids == other.row_ids) == (manifest["ids_hash"] == other.manifest()["ids_hash"])


def test_repeated_rows_are_counted_as_rows_and_as_distinct_rows() -> None:
    mixture = build_mixture(MixtureSpec(counts={"math": {"ja": 450}}, repeat=True), POOL)
    assert (mixture.manifest()["rows"], mixture.manifest()["distinct_rows"]) == (450, 200)
    assert len(mixture.row_ids) == 450


@pytest.mark.parametrize(
    "counts",
    [{}, {"math": {}}, {"math": {"en": 0}}, {"math": {"en": -1}}, {"maths": {"en": 1}}, {"math": {"klingon": 1}}],
)
def test_counts_that_mean_nothing_are_refused(counts: dict[str, dict[str, int]]) -> None:
    with pytest.raises(ValueError, match=r"no rows|give 0 or more|unknown task|unknown language"):
        MixtureSpec(counts=counts)


def test_zero_rows_of_a_language_are_the_same_as_leaving_it_out() -> None:
    assert MixtureSpec(counts={"math": {"es": 0, "en": 3}, "api_calls": {}}) == MixtureSpec(counts={"math": {"en": 3}})


def test_one_row_id_for_two_rows_is_refused() -> None:
    class Confused(ToyPool):
        def take(self, *cell: Any) -> pl.DataFrame:
            return super().take(*cell).with_columns(row_id=pl.col("item_id"))

    with pytest.raises(UserError, match="one row_id stands for several rows"):
        build_mixture(MixtureSpec(counts={"math": {"en": 2, "es": 2}}), Confused(PARALLEL))


def test_the_split_is_part_of_the_spec() -> None:
    mixture = build_mixture(MixtureSpec(counts={"math": {"en": 2}}, split="validation"), POOL)
    assert mixture.rows["split"].unique().to_list() == ["validation"]


def test_a_mixture_comes_back_from_disk_and_a_changed_one_is_refused(tmp_path: Path) -> None:
    mixture = build_mixture(MixtureSpec(counts={"math": {"en": 250, "zh": 3}}, repeat=True, seed=3), POOL)
    mixture.write(tmp_path)
    again = Mixture.read(tmp_path)
    assert again.rows.equals(mixture.rows)
    assert again.manifest() == mixture.manifest() == json.loads((tmp_path / "manifest.json").read_text())
    mixture.rows.reverse().write_parquet(tmp_path / "rows.parquet")
    with pytest.raises(GlotmixError, match="not the mixture"):
        Mixture.read(tmp_path)
    (tmp_path / "rows.parquet").write_bytes(b"")
    with pytest.raises(GlotmixError, match="not the mixture"):
        Mixture.read(tmp_path)


def test_what_is_learnt_decides_the_content_hash() -> None:
    mixture = build_mixture(MixtureSpec(counts={"math": {"en": 3}}), POOL)

    def hash_of(rows: pl.DataFrame) -> str:
        return Mixture(mixture.spec, mixture.pool, rows, row_hashes(rows)).content_hash

    shouted = [
        [message | {"content": message["content"].upper()} for message in row] for row in mixture.rows["messages"]
    ]
    changed = mixture.rows.with_columns(messages=pl.Series(shouted, dtype=ROW_SCHEMA["messages"]))
    variants = [mixture.rows, mixture.rows.reverse(), changed, mixture.rows[[0, 1]]]
    assert len({hash_of(rows) for rows in variants}) == 4
    assert hash_of(mixture.rows.with_columns(licence=pl.lit("other"))) == mixture.content_hash


def test_the_lab_and_real_rows_go_the_same_way(data_folder: Path, tmp_path: Path) -> None:
    from glotmix.pool.importers import import_pool

    import_pool("gsm8k", str(data_folder / "gsm8k" / "train.jsonl"), tmp_path / "pool")
    import_pool("mgsm", str(data_folder / "mgsm"), tmp_path / "pool")
    pools = {"lab": open_pool("lab"), "pool": open_pool(str(tmp_path / "pool"))}
    for items in ("shared", "disjoint"):  # disjoint: English is the only language with training rows there
        for pool in pools.values():
            mixture = build_mixture(MixtureSpec(counts={"math": {"en": 500}}, items=items), pool)
            assert mixture.rows["split"].unique().to_list() == ["train"]
            assert len(set(mixture.row_ids)) == 500
