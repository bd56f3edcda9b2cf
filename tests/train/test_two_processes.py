"""Two processes, copies of a model (DDP) or shards of it (FSDP2), train as one does. On processors, with gloo."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest
import torch
from safetensors.torch import load_file
from together import ADAPTERS, TOKENS, measure, trained

from glotmix.generate.template import Encoded
from glotmix.train.devices import deal

TORCHRUN = (sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2")


@pytest.fixture(scope="module")
def one(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("one")
    torch.set_num_threads(1)
    measure(folder)
    trained(folder / "whole")
    trained(folder / "adapters", recipe=ADAPTERS)
    return folder


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """As copies and as shards, one after the other in the same two processes: neither leaves a trace in the other."""
    folder = tmp_path_factory.mktemp("two")
    trained(folder / "copies" / "to-two", kill_after=3)
    shutil.copytree(folder / "copies", folder / "shards")
    together = [*TORCHRUN, str(Path(__file__).with_name("together.py")), str(folder)]
    environment = os.environ | {"CUDA_VISIBLE_DEVICES": ""}
    done = subprocess.run(together, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-4000:]
    return folder


@pytest.fixture(scope="module", params=["copies", "shards"])
def two(request: pytest.FixtureRequest, both: Path) -> Path:
    return both / str(request.param)


def weights(folder: Path) -> dict[str, torch.Tensor]:
    return load_file(folder / "model" / "model.safetensors")


def distance(found: dict[str, torch.Tensor], wanted: dict[str, torch.Tensor]) -> float:
    """Relative, over all tensors together."""
    assert found.keys() == wanted.keys()
    apart = sum(float((found[name].double() - wanted[name].double()).square().sum()) for name in wanted)
    return float((apart / sum(float(tensor.double().square().sum()) for tensor in wanted.values())) ** 0.5)


def test_two_processes_have_the_gradient_and_the_losses_of_one(one, two):
    """Also where one has more micro-batches than the other: rows are dealt by tokens."""
    alone, together = (load_file(folder / "measured.safetensors") for folder in (one, two))
    for name in ("loss", "norm", "row_losses"):
        torch.testing.assert_close(together.pop(name), alone.pop(name), rtol=1e-6, atol=1e-5)
    assert distance(together, alone) < 1e-6


def test_two_processes_end_where_one_does(one, two):
    assert distance(weights(two / "whole"), weights(one / "whole")) < 1e-4
    losses = [pl.read_parquet(folder / "whole" / "losses.parquet")["loss"].to_numpy() for folder in (one, two)]
    assert losses[1] == pytest.approx(losses[0], rel=1e-4)
    assert not [*(two / "whole").glob("checkpoint-*"), *(two / "whole").glob("best-*")]


def test_two_processes_train_adapters_as_one_does(one, two):
    apart, base = (
        distance(weights(one / "adapters"), other) for other in (weights(two / "adapters"), weights(one / "whole"))
    )
    assert apart < 1e-5 < base


def test_two_processes_killed_between_steps_end_bit_equal(two):
    whole, killed = weights(two / "whole"), weights(two / "killed")
    assert all(torch.equal(whole[name], killed[name]) for name in whole)
    records = [pl.read_parquet(two / name / "losses.parquet") for name in ("whole", "killed")]
    assert records[0].equals(records[1])


def test_what_two_processes_began_one_ends(two):
    shards = {"copies": 1, "shards": 2}[two.name]
    begun = two / "to-one" / "checkpoint-0000002"
    assert len([*begun.glob("optimizer-*")]) == shards
    trained(two / "to-one")
    assert distance(weights(two / "to-one"), weights(two / "whole")) < 1e-4


def test_what_one_process_began_two_end(one, two):
    assert distance(weights(two / "to-two"), weights(one / "whole")) < 1e-4


def test_rows_are_dealt_so_that_every_process_reads_about_as_many_tokens():
    rows = [Encoded((1,) * tokens, 0) for tokens in TOKENS]
    shares = deal(rows, 2)
    assert sorted(place for share in shares for place in share) == list(range(len(rows)))
    tokens = [sum(TOKENS[place] for place in share) for share in shares]
    assert max(tokens) - min(tokens) <= min(TOKENS) + max(0, 2 * max(TOKENS) - sum(TOKENS))
    assert deal(rows, 1) == [list(range(len(rows)))]
