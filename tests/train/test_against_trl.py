"""The loss curve of TRL's SFTTrainer: the same rows in the same order, float32, prompts out of the loss.

Both sum the loss over the target tokens of a step and divide once, clip the norm of the gradient of the whole step, and
decay matrices and embeddings alone (AdamW, betas 0.9 and 0.999, eps 1e-8). So the curves differ by float32 rounding
only, although the micro-batches differ: TRL takes the rows as they come, glotmix sorts those of a step by length.

One thing differs on purpose. In the warm-up transformers starts at a learning rate of 0, and its first step changes
nothing; glotmix starts at 1/warm-up of the rate, one step ahead. From the end of the warm-up on the rates are the same.
For the curves TRL is given those of glotmix.
"""

import pytest
import torch
from datasets import Dataset
from torch.optim.lr_scheduler import LambdaLR
from transformers import get_scheduler
from trl import SFTConfig, SFTTrainer

from glotmix.generate.load import load_model, load_tokenizer
from glotmix.generate.template import Encoded, encode_all
from glotmix.lab.models import model_path
from glotmix.pool.lab import LabPool
from glotmix.spec import Recipe
from glotmix.train.learner import Learner
from glotmix.train.schedule import learning_rate

MODEL = model_path("lab-1m")
STEPS, BATCH_ROWS = 8, 8
KINDS = (("math", "bn"), ("instructions", "de"), ("api_calls", "ja"), ("math", "en"))  # 30 to 240 tokens a row
CONSTANT = Recipe(steps=STEPS, batch_rows=BATCH_ROWS, learning_rate=1e-3, weight_decay=0.01)
COSINE = CONSTANT.model_copy(update={"schedule": "cosine", "warmup_steps": 4})
TRANSFORMERS = {"constant": "constant_with_warmup", "linear": "linear", "cosine": "cosine"}

Curve = tuple[list[float], list[float], torch.Tensor]  # the loss and gradient norm of every step, the weights after


@pytest.fixture(scope="module")
def rows() -> list[Encoded]:
    """One of each kind in turn, so that every micro-batch of TRL's has short rows and long ones."""
    torch.set_num_threads(1)
    pool, tokenizer = LabPool(), load_tokenizer(MODEL)
    each = STEPS * BATCH_ROWS // len(KINDS)
    taken = [pool.take(*kind, "train", list(pool.item_ids(*kind, "train"))[:each]) for kind in KINDS]
    encoded = [encode_all(kind["messages"].to_list(), "plain", tokenizer) for kind in taken]
    return [row for together in zip(*encoded, strict=True) for row in together]


def weights(model: torch.nn.Module) -> torch.Tensor:
    return torch.cat([weight.detach().flatten() for weight in model.parameters()])


def glotmix_curve(rows: list[Encoded], recipe: Recipe) -> Curve:
    learner = Learner(load_model(MODEL, "float32"), recipe)
    steps = [
        learner.step(rows[number * BATCH_ROWS : (number + 1) * BATCH_ROWS], learning_rate(recipe, number, STEPS))
        for number in range(STEPS)
    ]
    return [step.loss for step in steps], [step.gradient_norm for step in steps], weights(learner.model)


def trl_curve(rows: list[Encoded], recipe: Recipe, folder: str) -> Curve:
    """In micro-batches of 4 rows, as they come."""
    settings = SFTConfig(
        folder, bf16=False, gradient_checkpointing=False, use_cpu=True, report_to="none", save_strategy="no",
        per_device_train_batch_size=4, gradient_accumulation_steps=BATCH_ROWS // 4, max_steps=STEPS, logging_steps=1,
        train_sampling_strategy="sequential", learning_rate=recipe.learning_rate, weight_decay=recipe.weight_decay,
        max_grad_norm=recipe.max_gradient_norm, max_length=None, disable_tqdm=True,
    )  # fmt: skip
    labels = [[-100] * row.prompt_tokens + [*row.ids[row.prompt_tokens :]] for row in rows]
    data = Dataset.from_dict({"input_ids": [[*row.ids] for row in rows], "labels": labels})
    trainer = SFTTrainer(load_model(MODEL, "float32"), settings, None, data, processing_class=load_tokenizer(MODEL))
    trainer.lr_scheduler = LambdaLR(
        trainer.create_optimizer(), lambda step: learning_rate(recipe, step, STEPS) / recipe.learning_rate
    )
    trainer.train()
    logged = [record for record in trainer.state.log_history if "loss" in record]
    return [log["loss"] for log in logged], [log["grad_norm"] for log in logged], weights(trainer.model)


@pytest.mark.parametrize("recipe", [CONSTANT, COSINE], ids=["constant", "cosine with warm-up"])
def test_losses_gradient_norms_and_weights_are_those_of_trl(rows, recipe, tmp_path):
    start = weights(load_model(MODEL, "float32"))
    ours, our_norms, our_end = glotmix_curve(rows, recipe)
    theirs, their_norms, their_end = trl_curve(rows, recipe, str(tmp_path))
    assert min(our_norms) < recipe.max_gradient_norm < max(our_norms), "some steps are clipped, and some not"
    assert ours == pytest.approx(theirs, rel=1e-5)
    assert our_norms == pytest.approx(their_norms, rel=1e-4)
    assert (our_end - their_end).norm() < 1e-3 * (our_end - start).norm()


@pytest.mark.parametrize("schedule", TRANSFORMERS)
def test_learning_rates_are_those_of_transformers_but_one_step_ahead_in_the_warm_up(schedule):
    recipe = COSINE.model_copy(update={"schedule": schedule})
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=recipe.learning_rate)
    scheduler = get_scheduler(TRANSFORMERS[schedule], optimizer, recipe.warmup_steps, STEPS)
    theirs = [scheduler.lr_lambdas[0](step) * recipe.learning_rate for step in range(STEPS)]
    ours = [learning_rate(recipe, step, STEPS) for step in range(STEPS)]
    assert theirs[0] == 0
    assert ours[: recipe.warmup_steps] == pytest.approx(theirs[1 : recipe.warmup_steps + 1])
    assert ours[recipe.warmup_steps :] == pytest.approx(theirs[recipe.warmup_steps :])
