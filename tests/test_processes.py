"""Several processes train as one: the same losses on the same batches, and a resume to the bit after a kill."""

import json
import os
import signal
import sys

import numpy as np
import pytest
import torch
from torchrun import split, torchrun

from course_utils.processes import Processes, current, joined

pytestmark = pytest.mark.usefixtures("one_thread")
posix = pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="SIGKILL is of POSIX systems")

# Trains as sys.argv[2], a JSON object, says, alone or under torchrun, and writes what came out.
PROGRAM = '''
import json, os, signal, sys
from pathlib import Path
import torch
from torch import nn
from torch.utils.data import TensorDataset
from course_utils.augmentation import Augmentation
from course_utils.losses import log_poisson
from course_utils.models import seeded
from course_utils.models.basenji import Basenji
from course_utils.processes import joined
from course_utils.schedules import cosine
from course_utils.training import fit

folder, wanted = Path(sys.argv[1]), json.loads(sys.argv[2])
torch.set_num_threads(1)

def windows(many, seed):
    chance = torch.Generator().manual_seed(seed)
    codes = torch.randint(4, (many, 1024), generator=chance)
    counts = torch.poisson(torch.rand(many, 8, 10, generator=chance) * 3, generator=chance)
    return TensorDataset(torch.eye(4)[codes].permute(0, 2, 1).contiguous(), counts)

class Killed(nn.Module):
    """The loss; in one process and at one step it ends the process."""
    def __init__(self, rank):
        super().__init__()
        self.steps, self.here = 0, rank == wanted.get("kill_rank")
        self.weight = [1, 2] if wanted.get("weigh") else None
    def forward(self, outputs, counts):
        self.steps += outputs.requires_grad
        if self.here and self.steps == wanted.get("kill_step"):
            os.kill(os.getpid(), signal.SIGKILL)
        return log_poisson(outputs, counts)

with joined() as (processes, device):
    with seeded(3):
        model = Basenji(base=4, growth=4)
    for layer in model.modules():
        if isinstance(layer, nn.Dropout):
            layer.p = wanted.get("dropout", 0.0)
    if wanted.get("norm"):
        model = nn.Sequential(model, nn.BatchNorm1d(8))
    torch.manual_seed(10 + processes.rank)
    many, batch = wanted.get("many", 42), wanted.get("batch", 8)
    epochs = wanted.get("epochs", 4)
    history = fit(
        model, windows(many, 1), windows(11, 2), loss=Killed(processes.rank), epochs=epochs, batch_size=batch,
        optimizer=torch.optim.Adam(model.parameters(), lr=0.01, betas=(0.9, 0.99)),
        generator=torch.Generator().manual_seed(wanted.get("generator", 5) + wanted.get("apart", 0) * processes.rank),
        schedule=cosine(epochs * -(-many // batch)), clip=wanted.get("clip", 1.0), workers=wanted.get("workers", 0),
        augment=Augmentation(5, True) if wanted.get("augment") else None,
        checkpoint=folder / "checkpoints" if wanted.get("every") or processes.rank == wanted.get("writes") else None,
        checkpoint_steps=wanted.get("every"),
        resume=wanted.get("resume", False),
    )
    torch.save({"weights": model.state_dict(), "history": vars(history)}, folder / f"{wanted['name']}{processes.rank}.pt")
'''


@pytest.fixture
def train(tmp_path):
    """Runs the program in so many processes and gives (weights, history) of each, or what it wrote on the way out."""
    (tmp_path / "train.py").write_text(PROGRAM)

    def run(processes: int, name: str, fails: bool = False, by=split, **wanted):
        done = by(processes, tmp_path / "train.py", tmp_path, json.dumps({"name": name, **wanted}))
        assert (done.returncode != 0) == fails, done.stderr
        if fails:
            return done.stderr
        results = [torch.load(tmp_path / f"{name}{rank}.pt", weights_only=True) for rank in range(processes)]
        return [(result["weights"], result["history"]) for result in results]

    return run


def identical(one: dict, other: dict) -> bool:
    return all(torch.equal(one[name], other[name]) for name in one)


def test_two_processes_train_as_one_does_on_the_same_batches(train):
    # 42 windows in batches of 8: the last batch has 2; 24 steps
    (weights, alone), *_ = train(1, "alone")
    (first, one), (second, other) = train(2, "two", by=torchrun)
    assert len(alone["batch_loss"]) == 24
    np.testing.assert_allclose(one["batch_loss"], alone["batch_loss"], rtol=0, atol=1e-5)
    np.testing.assert_allclose(one["valid_loss"], alone["valid_loss"], rtol=0, atol=1e-5)
    np.testing.assert_allclose(one["gradient_norm"], alone["gradient_norm"], rtol=1e-3)
    assert one == other and identical(first, second), "both processes know the same"
    assert not identical(first, weights), "sums in another order differ in the last bits: two did the work"


def test_a_last_batch_of_fewer_examples_than_processes_counts_each_of_them_once(train):
    (_, alone), *_ = train(1, "alone", many=10, batch=3, epochs=3)  # last batches of 1
    (_, three), *_ = train(3, "three", many=10, batch=3, epochs=3)
    np.testing.assert_allclose(three["batch_loss"], alone["batch_loss"], rtol=0, atol=1e-5)
    assert three["train_loss"] == pytest.approx(alone["train_loss"], abs=1e-5)


@posix
@pytest.mark.parametrize("processes, kills", [(2, [(1, 9), (0, 5)]), (3, [(2, 4)])])
def test_after_one_process_is_killed_all_go_on_as_if_there_had_been_no_break(train, tmp_path, processes, kills):
    recipe = {"dropout": 0.1, "augment": True, "every": 2, "many": 40, "epochs": 3}
    whole = train(processes, "whole", **recipe)
    chances = torch.load(tmp_path / "checkpoints/last.pt", weights_only=True)["chances"]
    for what in ("cpu", "augment"):  # each process draws its own dropout and its own shifts
        assert len({chance[what].numpy().tobytes() for chance in chances}) == processes
    (tmp_path / "checkpoints/last.pt").unlink()
    for number, (rank, step) in enumerate(kills):
        by = torchrun if (processes, number) == (2, 0) else split
        train(processes, "killed", fails=True, by=by, kill_rank=rank, kill_step=step, resume=number > 0, **recipe)
    for (weights, history), (resumed, again) in zip(whole, train(processes, "resumed", resume=True, **recipe)):
        assert history == again and identical(weights, resumed)


def test_a_resume_with_another_number_of_processes_is_refused(train):
    train(1, "one", every=100, epochs=1)
    said = train(2, "two", fails=True, every=100, epochs=1, resume=True)
    assert "is of another training: the number of processes was 1, and is 2 now" in said


@pytest.mark.parametrize(
    "wanted, words",
    [
        ({"apart": 1}, "random numbers: process 1 has another one than process 0"),
        ({"writes": 0}, "checkpoint: process 1 has another one than process 0"),
        ({"weigh": True}, "the loss has a weight for each class"),
        ({"norm": True}, "1 is a BatchNorm1d, whose statistics would be those of a process's share"),
        ({"batch": 1}, "batch_size is 1, and 2 processes share each batch"),
    ],
)
def test_processes_that_would_not_train_together_are_told_so(train, wanted, words):
    assert words in train(2, "wrong", fails=True, **wanted)


# --- alone ---------------------------------------------------------------------------------------


def test_without_torchrun_there_is_one_process_and_nothing_is_shared(monkeypatch):
    monkeypatch.delenv("RANK", raising=False)
    with joined() as (processes, device):
        assert processes == current() == Processes(0, 1) and device.type == "cpu"
    index, state, model = torch.arange(5), torch.zeros(3), torch.nn.Linear(1, 1)
    share, counted = processes.share(index)
    assert share is index and counted == 5
    assert processes.total(1.5, 2) == [1.5, 2] and processes.gathered(state) == [state]
    model(torch.ones(1)).backward()
    processes.add_gradients(model.parameters()), processes.begin_alike(model)
    assert model.weight.grad == 1 == model.bias.grad


@pytest.mark.parametrize("whole", [1, 2, 5, 8])
def test_shares_deal_out_every_example_once(whole):
    shares = [Processes(rank, 3).share(torch.arange(whole) + 10) for rank in range(3)]
    counting = [position for index, counted in shares for position in index[:counted].tolist()]
    assert sorted(counting) == list(range(10, 10 + whole))
    assert all(len(index) for index, _ in shares), "none is left without work, or it would not meet the others"
