"""Schedule, clip and augmentation are those of a loop written out, and a training goes on after a break."""

import json
import os
import signal
import subprocess
import sys

import numpy as np
import pytest
import torch
from small_trainings import TRAIN, VALID, examples, fresh, same, shuffler, stopped, train  # noqa: F401
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from course_utils.augmentation import Augmentation
from course_utils.checkpoints import CheckpointError, load_weights
from course_utils.models.motif_cnn import GlobalMaxCNN, MotifCNN, TinyMotifCNN
from course_utils.schedules import cosine
from course_utils.training import TrainingError

pytestmark = pytest.mark.usefixtures("one_thread")

# ruff: noqa: F811  (a test names the fixture that it takes)


# --- schedule, clip, augmentation ----------------------------------------------------------------


def test_schedule_clip_and_augmentation_are_those_of_the_loop_written_out():
    def noisy(inputs, labels, generator):
        return inputs + 0.1 * torch.randn(inputs.shape, generator=generator), labels

    model, loss, rates, norms, generator = fresh(), nn.CrossEntropyLoss(), [], [], shuffler()
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
    loader = DataLoader(TRAIN, batch_size=64, shuffle=True, generator=generator)
    for _ in range(3):
        for inputs, labels in loader:
            inputs, labels = noisy(inputs, labels, generator)
            optimizer.param_groups[0]["lr"] = 1e-2 * cosine(18, warmup=2)(len(rates))
            optimizer.zero_grad()
            loss(model(inputs), labels).backward()
            norms.append(nn.utils.clip_grad_norm_(model.parameters(), 0.5).item())
            optimizer.step()
            rates.append(optimizer.param_groups[0]["lr"])
    packaged = fresh()
    history = train(packaged, lr=1e-2, schedule=cosine(18, warmup=2), clip=0.5, augment=noisy)
    assert same(packaged, model)
    assert history.gradient_norm == norms and max(norms) > 0.5 > min(norms)
    assert history.learning_rate == rates[5::6]


def test_each_group_keeps_its_own_base_rate_and_all_are_put_back():
    model, seen = fresh(), []
    parts = [[p for p in model.parameters() if p.dim() == size] for size in (1, 2, 3)]
    optimizer = torch.optim.SGD([{"params": part, "lr": 10.0**-n} for n, part in enumerate(parts, 1)])

    class Watching(nn.CrossEntropyLoss):
        def forward(self, outputs, labels):
            if model.training:
                seen.append([group["lr"] for group in optimizer.param_groups])
            return super().forward(outputs, labels)

    history = train(model, optimizer=optimizer, loss=Watching(), epochs=1, schedule=lambda step: step / 2)
    np.testing.assert_allclose(seen, np.outer(np.arange(6) / 2, [0.1, 0.01, 0.001]))
    assert history.learning_rate == [0.1 * 2.5] and history.gradient_norm == []
    assert [group["lr"] for group in optimizer.param_groups] == [0.1, 0.01, 0.001]


def test_the_rates_are_put_back_after_an_interruption():
    class Stops(nn.CrossEntropyLoss):
        def forward(self, outputs, labels):
            raise KeyboardInterrupt

    model = fresh()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.5)
    with pytest.raises(KeyboardInterrupt):
        train(model, optimizer=optimizer, loss=Stops(), schedule=lambda step: 0.25)
    assert optimizer.param_groups[0]["lr"] == 0.5


def test_a_clip_above_all_norms_changes_nothing():
    one, other = fresh(), fresh()
    assert train(one, clip=1e6).batch_loss == train(other).batch_loss and same(one, other)


def test_a_schedule_of_1_changes_nothing():
    one, other = fresh(), fresh()
    assert train(one, schedule=lambda step: 1) == train(other) and same(one, other)


def test_a_schedule_that_is_too_short_is_told_before_the_first_step():
    model = fresh()
    with pytest.raises(ValueError, match="step 17 is not among the 12"):
        train(model, schedule=cosine(12))
    assert same(model, fresh())


def test_a_gradient_that_is_no_number_spoils_no_weight():
    class NoSlope(nn.CrossEntropyLoss):
        steps = 0

        def forward(self, outputs, labels):
            self.steps += outputs.requires_grad
            zero = (outputs - outputs.detach()).square().sum()
            return super().forward(outputs, labels) + (zero.sqrt() if self.steps == 4 else zero)

    model = fresh()
    with pytest.raises(TrainingError, match=r"norm of the gradient is nan at step 4 \(epoch 1\), with a loss of"):
        train(model, loss=NoSlope(), clip=1.0)
    assert all(parameter.isfinite().all() for parameter in model.parameters())
    assert not same(model, fresh())


@pytest.mark.parametrize(
    "settings, words",
    [
        ({"schedule": 0.1}, ["schedule is '0.1', of type float", "a function", "cosine(steps)"]),
        ({"schedule": lambda step: None}, ["gives None for step 0", "from 0 up"]),
        ({"schedule": lambda step: float("nan")}, ["gives nan for step 0"]),
        ({"schedule": lambda step: 7 - step}, ["gives -10 for step 17"]),
        ({"clip": 0}, ["clip is 0;", "above 0"]),
        ({"clip": True}, ["clip is True"]),
        ({"clip": float("nan")}, ["clip is nan"]),
        ({"clip": "1"}, ["clip is '1'"]),
        ({"augment": 3}, ["augment is '3', of type int", "Augmentation(max_shift=3)"]),
        ({"augment": lambda inputs, labels, generator: inputs}, ["augment gives a Tensor", "a pair"]),
        ({"augment": lambda i, t, g: (i[..., 1:], t)}, ["inputs of the shape (64, 4, 20) into (64, 4, 19)"]),
        ({"augment": lambda i, t, g: (i, t[:, None])}, ["labels of the shape (64,) into (64, 1)"]),
    ],
)
def test_a_recipe_that_does_not_fit_is_described(settings, words):
    model = fresh()
    with pytest.raises(TrainingError) as caught:
        train(model, **settings)
    assert [word for word in words if word not in str(caught.value)] == [], caught.value
    assert "\n" not in str(caught.value) and same(model, fresh())


# --- checkpoints ---------------------------------------------------------------------------------


@pytest.mark.parametrize("stop", [2, 4])
def test_more_epochs_later_are_the_same_as_more_epochs_at_once(tmp_path, stop):
    whole, parts, gone_on = fresh(), fresh(), fresh(seed=99)
    at_once = train(whole, valid=VALID, epochs=5)
    train(parts, valid=VALID, epochs=stop, checkpoint=tmp_path)
    later = train(gone_on, valid=VALID, epochs=5, checkpoint=tmp_path, resume=True, generator=shuffler(77))
    assert same(whole, gone_on) and at_once == later


def test_resume_without_a_checkpoint_starts_at_the_beginning(tmp_path):
    one, other = fresh(), fresh()
    assert train(one) == train(other, checkpoint=tmp_path / "new", resume=True)
    assert same(one, other)
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["last.pt"]


def test_files_of_an_earlier_training_are_not_taken_for_those_of_the_next(stopped):
    class Stops(nn.CrossEntropyLoss):
        def forward(self, outputs, labels):
            raise KeyboardInterrupt if outputs.requires_grad else AssertionError

    with pytest.raises(KeyboardInterrupt):
        train(fresh(seed=9), checkpoint=stopped, loss=Stops())
    assert [path.name for path in stopped.iterdir()] == ["last.pt"]
    one, other = fresh(seed=9), fresh(seed=99)
    assert train(one) == train(other, checkpoint=stopped, resume=True) and same(one, other)


# Runs in a fresh interpreter, which starts each training in a child that kills itself without warning,
# in the midst of a step or of writing a checkpoint, and then another child that resumes.
KILLED = """
import json, os, signal, sys
from pathlib import Path
import torch
from torch import nn
from torch.utils.data import TensorDataset
import course_utils.files as files
from course_utils.models import seeded
from course_utils.schedules import cosine
from course_utils.training import fit

torch.set_num_threads(1)
torch.optim.Adam(nn.Linear(1, 1).parameters()).zero_grad()  # the first one loads much, once for all children
folder, runs = Path(sys.argv[1]), json.loads(sys.argv[2])

def noisy(inputs, labels, generator):
    return inputs + torch.randn(inputs.shape, generator=generator), labels

RECIPE = {"schedule": cosine(54, warmup=5), "clip": 0.5, "augment": noisy}

def train(name, every, kill_at, kill_writing, resume):
    data = torch.Generator().manual_seed(0)
    inputs, labels = torch.randn(90, 12, generator=data), torch.randint(2, (90,), generator=data)
    train, valid = (TensorDataset(inputs[part], labels[part]) for part in (slice(70), slice(70, 90)))
    with seeded(1):
        model = nn.Sequential(nn.Linear(12, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Dropout(0.3), nn.Linear(8, 2))
    steps = 0

    class Loss(nn.CrossEntropyLoss):
        def forward(self, outputs, labels):
            nonlocal steps
            steps += model.training
            if steps == kill_at:
                os.kill(os.getpid(), signal.SIGKILL)
            return super().forward(outputs, labels)

    writings = 0
    def fsync(file):
        nonlocal writings
        writings += 1
        if writings == kill_writing:
            os.ftruncate(file, os.fstat(file).st_size // 2)
            os.kill(os.getpid(), signal.SIGKILL)
    files.os.fsync = fsync

    torch.manual_seed(5)  # for dropout
    history = fit(
        model, train, valid, loss=Loss(), optimizer=torch.optim.Adam(model.parameters(), 0.05), epochs=6,
        batch_size=8, generator=torch.Generator().manual_seed(2), patience=5,
        checkpoint=folder / name, checkpoint_steps=every, resume=resume,
        **(RECIPE if name.startswith("recipe") else {}),
    )
    torch.save({"weights": model.state_dict(), "history": vars(history)}, folder / f"{name}.result")

for name, every, kills in runs:
    for number, (step, writing) in enumerate([*kills, (None, None)]):
        child = os.fork()
        if not child:
            code = 1
            try:
                train(name, every, step, writing, resume=number > 0)
                code = 0
            finally:
                os._exit(code)
        status = os.waitpid(child, 0)[1]
        killed = os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL
        assert killed if (step or writing) else status == 0, (name, step, writing, status)
"""


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="SIGKILL and fork are of POSIX systems")
def test_after_a_kill_at_any_step_the_weights_and_the_history_are_the_same_to_the_bit(tmp_path):
    steps = np.random.default_rng(6).integers(1, 30, size=(5, 2)).tolist()  # 6 epochs of 9 steps
    runs = [["whole", None, []]]
    for number, kills in enumerate(steps):  # a child counts its own steps from 1
        runs.append([f"killed{number}", (None, 1, 4)[number % 3], [(step, None) for step in kills]])
    runs.append(["writing", 4, [(None, 3), (None, 2), (25, None)]])
    runs.append(["recipe", None, []])
    for number, (every, kills) in enumerate([(1, [12, 7]), (4, [15, 3, 20]), (None, [14, 22]), (9, [11, 30])]):
        runs.append([f"recipe{number}", every, [(step, None) for step in kills]])
    run = subprocess.run(
        [sys.executable, "-c", KILLED, str(tmp_path), json.dumps(runs)],
        capture_output=True,
        text=True,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )
    assert run.returncode == 0, run.stderr
    results = [torch.load(tmp_path / f"{name}.result", weights_only=True) for name, *_ in runs]
    recipe = [name for name, *_ in runs].index("recipe")
    assert len(results[0]["history"]["batch_loss"]) >= 6 * 9 <= len(results[recipe]["history"]["gradient_norm"])
    assert not same(results[0]["weights"], results[recipe]["weights"])
    for (name, *_), result in zip(runs, results):
        whole = results[recipe if name.startswith("recipe") else 0]
        assert result["history"] == whole["history"], name
        assert same(result["weights"], whole["weights"]), name


# A limit of the file size stands for a full disk: a write ends short and then fails, as there.
FULL = """
import resource, sys
from pathlib import Path
import torch
from torch import nn
from torch.utils.data import TensorDataset
from course_utils.training import fit

folder = Path(sys.argv[1])
torch.manual_seed(1)
model = nn.Linear(500, 2)
data = TensorDataset(torch.randn(8, 500), torch.tensor([0, 1] * 4))

def train(**more):
    fit(model, data, data, loss=nn.CrossEntropyLoss(), optimizer=torch.optim.Adam(model.parameters()),
        generator=torch.Generator().manual_seed(1), checkpoint=folder, **more)

train(epochs=1)
before = (folder / "last.pt").read_bytes()
resource.setrlimit(resource.RLIMIT_FSIZE, (int(len(before) * float(sys.argv[2])), -1))
try:
    train(epochs=3, resume=True)
except OSError as error:
    print(error)
assert (folder / "last.pt").read_bytes() == before
resource.setrlimit(resource.RLIMIT_FSIZE, (-1, -1))
train(epochs=3, resume=True)
"""


@pytest.mark.parametrize("share", [0.1, 0.9])  # the first cuts best.pt short, the second last.pt
def test_a_full_disk_is_told_in_one_sentence_and_the_earlier_checkpoint_stays(tmp_path, share):
    pytest.importorskip("resource")
    run = subprocess.run(
        [sys.executable, "-c", FULL, str(tmp_path), str(share)], capture_output=True, text=True
    )
    assert run.returncode == 0, run.stderr
    name = "best.pt" if share < 0.5 else "last.pt"
    assert run.stdout.count("\n") == 1 and f"{tmp_path / name}" in run.stdout
    assert "the checkpoint was not written, and an earlier one stays as it was" in run.stdout
    assert sorted(path.name for path in tmp_path.iterdir()) == ["best.pt", "last.pt"]


def test_a_checkpoint_of_version_0_3_is_gone_on_from(tmp_path):
    whole, gone_on = fresh(), fresh(seed=99)
    at_once = train(whole, epochs=2)
    train(fresh(), epochs=1, checkpoint=tmp_path)
    saved = torch.load(tmp_path / "last.pt", weights_only=True)
    del saved["recipe"], saved["present"], saved["history"]["gradient_norm"]
    torch.save(saved, tmp_path / "last.pt")
    with pytest.raises(CheckpointError, match=r"was \[False, None, False\], and is \[False, 1.0, False\] now"):
        train(gone_on, epochs=2, checkpoint=tmp_path, resume=True, clip=1.0)
    assert train(gone_on, epochs=2, checkpoint=tmp_path, resume=True) == at_once
    assert same(whole, gone_on)


@pytest.mark.parametrize(
    "changed, words",
    [
        ({"model": TinyMotifCNN}, ["another architecture", "conv.weight (16, 4, 3)", "(10, 4, 5)"]),
        ({"model": GlobalMaxCNN}, ["another architecture", "conv.weight (16, 4, 3)"]),
        ({"batch_size": 32}, ["another training", "[330, 90, 64]", "[330, 90, 32]", "batch size"]),
        ({"data": examples(331)}, ["another training", "[331, 90, 64]"]),
        ({"valid": None}, ["another training", "[330, 0, 64]"]),
        ({"optimizer": torch.optim.SGD}, ["the optimizer was Adam, and is SGD now"]),
    ],
)
def test_a_checkpoint_of_another_model_or_training_is_refused_and_nothing_changes(stopped, changed, words):
    model = fresh(changed.get("model", MotifCNN))
    before = {name: value.clone() for name, value in model.state_dict().items()}
    optimizer = changed.get("optimizer", torch.optim.Adam)(model.parameters(), lr=1e-3)
    settings = {"data": TRAIN, "valid": VALID, "batch_size": 64, "checkpoint": stopped, "resume": True}
    settings |= {name: value for name, value in changed.items() if name != "model"} | {"optimizer": optimizer}
    with pytest.raises(CheckpointError) as caught:
        train(model, **settings)
    assert [word for word in words if word not in str(caught.value)] == [], caught.value
    assert "\n" not in str(caught.value) and same(model, before)


@pytest.mark.parametrize("damage", ["cut", "empty", "text", "program", "other"])
@pytest.mark.parametrize("name", ["last.pt", "best.pt"])
def test_a_damaged_checkpoint_is_refused_in_one_sentence(stopped, name, damage):
    path = stopped / name
    content = path.read_bytes()
    if damage == "program":  # what torch.load would run without weights_only
        torch.save({"model": {}, "run": os.system}, path)
    elif damage == "other":
        torch.save({"model": {"weight": [1, 2]}}, path)
    else:
        path.write_bytes({"cut": content[: len(content) * 2 // 3], "empty": b"", "text": b"hello"}[damage])
    model = fresh(seed=9)
    with pytest.raises(CheckpointError, match=f"{name} is no whole checkpoint") as caught:
        load_weights(model, path)
    assert "\n" not in str(caught.value) and same(model, fresh(seed=9))


def test_to_go_on_takes_more_than_weights(stopped):
    os.replace(stopped / "best.pt", stopped / "last.pt")
    with pytest.raises(CheckpointError, match="does not hold all that a training goes on from"):
        train(fresh(), valid=VALID, checkpoint=stopped, resume=True)


@pytest.mark.parametrize(
    "changed, words",
    [
        ({"lr": 1e-1}, ["the rate that the schedule multiplies was [0.01], and is [0.1] now"]),
        ({"augment": Augmentation(max_shift=2)}, ["augment was Augmentation(", "max_shift=1", "max_shift=2"]),
        ({"augment": lambda i, t, g: (i, t)}, ["augment was Augmentation(", "and is None now"]),
        ({"schedule": None}, ["[schedule, clip, augment] was [True, 1.0, True], and is [False, 1.0, True] now"]),
        ({"clip": 2.0}, ["was [True, 1.0, True], and is [True, 2.0, True] now"]),
    ],
)
def test_a_checkpoint_of_another_recipe_is_refused_and_nothing_changes(tmp_path, changed, words):
    recipe = {"lr": 1e-2, "schedule": cosine(18), "clip": 1.0, "augment": Augmentation(max_shift=1)}
    data = TensorDataset(TRAIN.tensors[0], TRAIN.tensors[1][:, None, None].float())  # one bin, one track
    recipe |= {"data": data, "loss": nn.MSELoss(), "checkpoint": tmp_path}
    one_track = nn.Sequential(nn.Flatten(), nn.Linear(80, 1), nn.Unflatten(1, (1, 1)))
    train(one_track, epochs=1, **recipe)
    before = {name: value.clone() for name, value in one_track.state_dict().items()}
    with pytest.raises(CheckpointError) as caught:
        train(one_track, **recipe | changed, resume=True)
    assert [word for word in words if word not in str(caught.value)] == [], caught.value
    assert "\n" not in str(caught.value) and same(one_track, before)
    assert train(one_track, **recipe, resume=True).epochs == 3


def test_without_a_schedule_the_rate_of_the_file_goes_on(stopped):
    history = train(fresh(), valid=VALID, lr=0.7, checkpoint=stopped, resume=True)
    assert history.learning_rate == [1e-3] * 3


def test_a_checkpoint_without_the_rates_of_the_schedule_is_gone_on_from(tmp_path):
    recipe = {"schedule": cosine(18), "augment": lambda i, t, g: (i, t)}
    whole, gone_on = fresh(), fresh(seed=99)
    at_once = train(whole, **recipe)
    train(fresh(), epochs=1, checkpoint=tmp_path, **recipe)
    saved = torch.load(tmp_path / "last.pt", weights_only=True)
    assert saved.pop("base_rates") == [1e-3] and saved.pop("augmentation") is None
    torch.save(saved, tmp_path / "last.pt")
    assert train(gone_on, checkpoint=tmp_path, resume=True, **recipe) == at_once
    assert same(whole, gone_on)
