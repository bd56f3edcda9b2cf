"""The loop reads its order front to back, a whole batch a step, and follows the recipe's schedule."""

import math
import shutil

import pytest
from hypothesis import given
from hypothesis import strategies as st
from transformers import GenerationConfig

from glotmix.generate.load import load_tokenizer
from glotmix.generate.template import encode_row
from glotmix.lab.models import model_path
from glotmix.pool.lab import LabPool
from glotmix.spec import Recipe
from glotmix.train import loop
from glotmix.train.learner import Learner, Step


def test_every_step_reads_the_next_rows_of_the_order(tmp_path, monkeypatch):
    pool = LabPool()
    rows = pool.take("math", "ja", "train", list(pool.item_ids("math", "ja", "train"))[:5])
    order = [rows["row_id"][i] for i in (3, 1, 1, 0, 4, 2, 3, 0, 2, 4, 4, 1)]
    read = []

    def note(learner, batch, learning_rate):
        read.append(list(batch))
        return Step(1.0, 1.0)

    monkeypatch.setattr(Learner, "step", note)
    recipe = Recipe(epochs=2, batch_rows=4, checkpoint_every=2)
    loop.train(model_path("lab-1m"), rows, order, rows.head(2), recipe, 0, tmp_path)

    tokenizer = load_tokenizer(model_path("lab-1m"))
    encoded = dict(zip(rows["row_id"], (encode_row(m, "plain", tokenizer) for m in rows["messages"]), strict=True))
    assert [len(batch) for batch in read] == [4, 4, 4]
    assert [row for batch in read for row in batch] == [encoded[row_id] for row_id in order]


def test_the_trained_folder_says_where_its_answers_end(tmp_path):
    """A server knows nothing of the template: without this it would write on to the limit."""
    base, out = tmp_path / "base", tmp_path / "out"
    shutil.copytree(model_path("lab-1m"), base)
    (base / "generation_config.json").write_text('{"do_sample": false, "temperature": 0.6}')  # loads, can't be saved
    tokenizer = load_tokenizer(base)
    tokenizer.chat_template = (
        "{% for m in messages %}<|ja|>{{ m.content }}<|fr|>{% endfor %}{% if add_generation_prompt %}<|ja|>{% endif %}"
    )
    tokenizer.save_pretrained(base)
    pool = LabPool()
    rows = pool.take("math", "en", "train", list(pool.item_ids("math", "en", "train"))[:4])
    recipe = Recipe(steps=1, batch_rows=4, template="chat")
    loop.train(base, rows, [*rows["row_id"]], rows.head(1), recipe, 0, out)

    saved = GenerationConfig.from_pretrained(out / "model").to_diff_dict()
    assert saved.keys() == {"eos_token_id", "transformers_version"}
    assert set(saved["eos_token_id"]) == {tokenizer.convert_tokens_to_ids("<|fr|>"), tokenizer.eos_token_id}


@given(
    schedule=st.sampled_from(["constant", "linear", "cosine"]),
    warmup=st.integers(0, 20),
    steps=st.integers(21, 200),
)
def test_the_rate_warms_up_and_then_never_rises(schedule, warmup, steps):
    recipe = Recipe(steps=steps, learning_rate=0.5, schedule=schedule, warmup_steps=warmup)
    rates = [loop.learning_rate(recipe, step, steps) for step in range(steps)]
    rising, falling = rates[:warmup], rates[warmup:]
    assert rising == sorted(rising) and falling == sorted(falling, reverse=True)
    assert max(rates) == pytest.approx(0.5)
    assert all(rate > 0 for rate in rates)


@pytest.mark.parametrize(("share", "steps", "warmup"), [(0.03, 117, 4), (0.03, 35, 1), (0.5, 10, 5), (0.0, 10, 0)])
def test_a_share_of_warm_up_is_of_the_steps_of_the_run(share, steps, warmup):
    by_share = Recipe(epochs=1, schedule="cosine", warmup_share=share)
    by_steps = Recipe(epochs=1, schedule="cosine", warmup_steps=warmup)
    rates = [[loop.learning_rate(recipe, step, steps) for step in range(steps)] for recipe in (by_share, by_steps)]
    assert rates[0] == rates[1]
    assert rates[0].index(max(rates[0])) == max(0, warmup - 1)


def test_schedules_by_hand():
    by_schedule = {s: Recipe(steps=4, learning_rate=1.0, schedule=s) for s in ("constant", "linear", "cosine")}
    rates = {s: [loop.learning_rate(recipe, step, 4) for step in range(4)] for s, recipe in by_schedule.items()}
    assert rates["constant"] == [1, 1, 1, 1]
    assert rates["linear"] == [1, 0.75, 0.5, 0.25]
    assert rates["cosine"] == pytest.approx([1, 0.5 + math.sqrt(0.5) / 2, 0.5, 0.5 - math.sqrt(0.5) / 2])
