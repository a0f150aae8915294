"""The packaged loop does what the written-out loop does, and goes on after a break as if there were none."""

import ast
import json
import os
import signal
import subprocess
import sys

import nbformat
import numpy as np
import pytest
import torch
from nbclient import NotebookClient
from torch import nn
from torch.utils.data import DataLoader, Dataset, Subset, TensorDataset

from course_utils.checkpoints import CheckpointError, load_weights
from course_utils.models import seeded
from course_utils.models.motif_cnn import GlobalMaxCNN, MotifCNN, TinyMotifCNN
from course_utils.progress import progress_bar
from course_utils.schedules import cosine
from course_utils.training import TrainingError, evaluate, fit, predict


@pytest.fixture(scope="module", autouse=True)
def one_thread():
    """As in a lesson: small networks gain nothing from a second thread and lose much beside a busy machine."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def shuffler(seed: int = 1) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def examples(many: int, seed: int = 0, noise: float = 0.0) -> TensorDataset:
    """Sequences (many, 4, 20) and whether base 8 is C or G, with a share of wrong labels."""
    codes = torch.randint(4, (many, 20), generator=shuffler(seed))
    labels = ((codes[:, 8] == 1) | (codes[:, 8] == 2)).long()
    wrong = torch.rand(many, generator=shuffler(seed + 1)) < noise
    return TensorDataset(torch.eye(4)[codes].permute(0, 2, 1), torch.where(wrong, 1 - labels, labels))


TRAIN, VALID = examples(330), examples(90, seed=5)


def fresh(network=MotifCNN, seed: int = 3, **arguments) -> nn.Module:
    with seeded(seed):
        return network(**arguments)


def train(model: nn.Module, data=TRAIN, valid=None, *, lr: float = 1e-3, **arguments):
    """`fit` with Adam and what most tests have in common."""
    settings = {"loss": nn.CrossEntropyLoss(), "epochs": 3, "generator": shuffler()} | arguments
    settings.setdefault("optimizer", torch.optim.Adam(model.parameters(), lr))
    return fit(model, data, valid, **settings)


def same(one: nn.Module | dict, other: nn.Module | dict) -> bool:
    one, other = (m.state_dict() if isinstance(m, nn.Module) else m for m in (one, other))
    return one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)


# --- the loop ------------------------------------------------------------------------------------


def test_the_packaged_loop_gives_to_the_bit_what_the_written_out_loop_gives():
    model, loss, means, batch_losses = fresh(), nn.CrossEntropyLoss(), [], []
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    loader = DataLoader(TRAIN, batch_size=64, shuffle=True, generator=shuffler())
    for _ in range(3):
        total = 0.0
        for inputs, labels in loader:
            optimizer.zero_grad()
            batch_loss = loss(model(inputs), labels)
            batch_loss.backward()
            optimizer.step()
            batch_losses.append(batch_loss.item())
            total += batch_loss.item() * len(inputs)
        means.append(total / len(TRAIN))
    packaged = fresh()
    history = train(packaged)
    assert same(packaged, model)
    assert history.batch_loss == batch_losses and len(batch_losses) == 3 * 6
    assert history.train_loss == means
    assert history.learning_rate == [1e-3] * 3


def test_the_last_smaller_batch_weighs_less_in_the_mean_of_the_epoch():
    history = train(fresh(), epochs=1)  # 330 = 5 * 64 + 10
    weights = np.array([64] * 5 + [10]) / 330
    assert history.train_loss[0] == pytest.approx(weights @ history.batch_loss, rel=1e-12)
    assert history.train_loss[0] != pytest.approx(np.mean(history.batch_loss), rel=1e-4)


def test_a_dataset_of_any_kind_is_trained_on_alike():
    class Rows(Dataset):
        def __len__(self):
            return len(TRAIN)

        def __getitem__(self, position):
            return TRAIN[position]

    whole, rows, part = fresh(), fresh(), fresh()
    train(whole)
    train(rows, Rows())
    train(part, Subset(TensorDataset(*(torch.cat([t, t]) for t in TRAIN.tensors)), range(330, 660)))
    assert same(whole, rows) and same(whole, part)


def test_the_validation_is_that_of_the_model_in_eval_mode_and_changes_nothing():
    def network():
        return nn.Sequential(nn.Flatten(), nn.BatchNorm1d(80), nn.Dropout(0.5), nn.Linear(80, 2))

    alone, judged = fresh(network), fresh(network)
    with seeded(8):
        train(alone)
    with seeded(8):
        history = train(judged, valid=VALID)
    assert same(alone, judged)
    assert not judged.training, "afterwards, dropout is off"
    logits = judged(VALID.tensors[0]).detach()
    labels = VALID.tensors[1]
    expected = nn.functional.cross_entropy(logits, labels).item()
    assert history.valid_loss[-1] == pytest.approx(expected, rel=1e-5)
    assert history.valid_accuracy[-1] == (logits.argmax(dim=1) == labels).sum().item() / 90
    assert evaluate(judged, VALID, loss=nn.CrossEntropyLoss()) == pytest.approx(
        (history.valid_loss[-1], history.valid_accuracy[-1]), rel=1e-5
    )


def test_the_loop_learns():
    model = fresh()
    history = train(model, examples(1000), VALID, lr=5e-3, epochs=12)
    assert history.train_loss[-1] < 0.1 < 0.4 < history.train_loss[0]
    assert history.valid_accuracy[-1] > 0.97 > 0.8 > history.valid_accuracy[0]


def test_the_learning_rate_of_each_epoch_is_noted():
    model = fresh()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.5)
    assert train(model, optimizer=optimizer, epochs=2).learning_rate == [0.5, 0.5]


def test_a_history_is_shown_in_one_line():
    history = train(fresh(), valid=VALID, epochs=2)
    assert repr(history) == f"History of 2 epochs, 12 steps, lowest validation loss in epoch {history.best_epoch}"


def test_one_logit_with_a_binary_loss_is_judged_too():
    class OneLogit(nn.Sequential):
        def forward(self, inputs):
            return super().forward(inputs).squeeze(1)

    model = fresh(lambda: OneLogit(nn.Flatten(), nn.Linear(80, 1)))
    data = TensorDataset(VALID.tensors[0], VALID.tensors[1].float())
    history = train(model, data, data, loss=nn.BCEWithLogitsLoss(), lr=0.05, epochs=20)
    assert history.valid_accuracy[-1] == 1


def test_numbers_have_a_loss_and_no_accuracy():
    model = fresh(lambda: nn.Sequential(nn.Flatten(), nn.Linear(80, 3)))
    data = TensorDataset(VALID.tensors[0], torch.rand(90, 3, generator=shuffler()))
    history = train(model, data, data, loss=nn.MSELoss(), epochs=2)
    assert len(history.valid_loss) == 2 and history.valid_accuracy == []


def test_the_global_random_numbers_are_left_alone():
    before = torch.get_rng_state()
    train(fresh(), valid=VALID)
    assert torch.equal(torch.get_rng_state(), before)


# --- predictions ---------------------------------------------------------------------------------


def test_predictions_are_those_of_eval_mode_in_batches_and_leave_the_mode():
    model = nn.Sequential(nn.Flatten(), nn.Dropout(0.5), nn.Linear(80, 2))
    inputs = TRAIN.tensors[0]
    outputs = predict(model, inputs, batch_size=100)
    assert model.training and not outputs.requires_grad
    assert outputs.shape == (330, 2)
    torch.testing.assert_close(outputs, model.eval()(inputs).detach())
    assert torch.equal(predict(model, inputs.numpy(), batch_size=100), outputs)


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


# --- early stopping ------------------------------------------------------------------------------


def test_training_stops_when_patience_ends_and_the_best_weights_come_back(tmp_path):
    noisy, valid = examples(120, noise=0.3), examples(200, seed=9, noise=0.3)
    model = fresh()
    history = train(model, noisy, valid, lr=1e-2, epochs=60, patience=4, checkpoint=tmp_path)
    best = history.best_epoch
    assert history.epochs == best + 4 < 60
    assert min(history.valid_loss) == history.valid_loss[best - 1]
    judged = evaluate(model, valid, loss=nn.CrossEntropyLoss(), batch_size=64)
    assert judged == (history.valid_loss[best - 1], history.valid_accuracy[best - 1])
    shorter = fresh()
    train(shorter, noisy, valid, lr=1e-2, epochs=best)
    assert same(shorter, model), "the weights are those after the best epoch"
    loaded = fresh(seed=99)
    load_weights(loaded, tmp_path / "best.pt")
    assert same(loaded, model)
    load_weights(loaded, tmp_path / "last.pt")
    assert not same(loaded, model)


def test_without_patience_the_last_weights_stay():
    noisy, valid = examples(120, noise=0.3), examples(200, seed=9, noise=0.3)
    alone, judged = fresh(), fresh()
    train(alone, noisy, lr=1e-2, epochs=12)
    history = train(judged, noisy, valid, lr=1e-2, epochs=12)
    assert history.best_epoch < 12 and same(alone, judged)


def test_a_run_that_stopped_early_stays_stopped_when_it_is_resumed(tmp_path):
    noisy, valid = examples(120, noise=0.3), examples(200, seed=9, noise=0.3)
    settings = {"lr": 1e-2, "epochs": 60, "patience": 4, "checkpoint": tmp_path}
    model, again = fresh(), fresh(seed=99)
    first = train(model, noisy, valid, **settings)
    assert train(again, noisy, valid, resume=True, **settings) == first
    assert same(model, again)


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
import course_utils.checkpoints as checkpoints
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
    checkpoints.os.fsync = fsync

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


@pytest.fixture
def stopped(tmp_path):
    """The folder of a training that can be resumed with the same settings."""
    train(fresh(), valid=VALID, epochs=2, checkpoint=tmp_path)
    return tmp_path


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


# --- the progress bar ----------------------------------------------------------------------------

BAR = """
import time
from course_utils.progress import progress_bar

print("before")
with progress_bar(40) as bar:
    for step in range(40):
        time.sleep(0.03)
        bar.set_postfix_str(f"epoch {step // 10 + 1}", refresh=False)
        bar.update()
print("after")
"""

# Makes the kernel believe that a person runs the cell, and notes what is shown.
WATCHED = """
import IPython.display
lines = []
class Display(IPython.display.DisplayHandle):
    def update(self, data, **arguments):
        lines.append(data["text/plain"])
        super().update(data, **arguments)
def show(data, raw, display_id):
    handle = Display()
    lines.append(data["text/plain"])
    handle.display(data, raw=True)
    return handle
IPython.display.display = show
get_ipython().kernel.get_parent("shell")["metadata"]["cellId"] = "a-cell"
"""


def executed(*cells: str) -> list[nbformat.NotebookNode]:
    book = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    NotebookClient(book, timeout=60, kernel_name="python3", coalesce_streams=True).execute()
    return [cell.outputs for cell in book.cells]


def test_the_bar_leaves_nothing_in_a_notebook():
    unseen, seen, shown = executed(BAR, WATCHED + BAR, "print(lines)")
    assert [(output.name, output.text) for output in unseen] == [("stdout", "before\nafter\n")]
    texts = [output.get("text", output.get("data")) for output in seen]
    assert texts == ["before\nafter\n", {"text/plain": ""}], "an empty line is all that can stay"
    lines = ast.literal_eval(shown[0].text)
    assert lines[-1] == "" and all(line.startswith("training:") for line in lines if line)
    assert any("epoch" in line for line in lines)


def test_the_bar_is_shown_in_a_terminal_and_wiped_away():
    pty, termios = pytest.importorskip("pty"), pytest.importorskip("termios")
    ours, theirs = pty.openpty()
    termios.tcsetwinsize(theirs, (24, 100))
    run = subprocess.Popen([sys.executable, "-c", BAR], stdout=subprocess.PIPE, stderr=theirs)
    os.close(theirs)
    written = b""
    try:
        while part := os.read(ours, 1 << 16):
            written += part
    except OSError:  # Linux says so at the end
        pass
    assert run.communicate()[0] == b"before\nafter\n"
    lines = written.decode().split("\r")
    assert any("training:" in line and "epoch" in line for line in lines)
    assert "\n" not in written.decode() and lines[-1] == "" and lines[-2].strip() == ""


def test_the_bar_follows_the_training(monkeypatch, stopped):
    bars = []

    def noted(steps, **arguments):
        bars.append((progress_bar(steps, **arguments), arguments))
        bars[-1][0].set_postfix_str = lambda said, refresh: bars.append(said)
        bars[-1][0].update = lambda: bars.append(1)
        return bars[0][0]

    monkeypatch.setattr("course_utils.training.progress_bar", noted)
    history = train(fresh(), valid=VALID, epochs=4, checkpoint=stopped, resume=True, progress=False)
    (bar, arguments), *told = bars
    assert bar.total == 4 * 6 and arguments == {"done": 2 * 6, "wanted": False}
    said = [f"epoch {epoch} of 4: loss {history.train_loss[epoch - 1]:.3g}" for epoch in (3, 4)]
    assert told == [1] * 6 + said[:1] + [1] * 6 + said[1:]


@pytest.mark.parametrize("progress", [True, False])
def test_no_bar_where_nobody_looks_on(capfd, progress):
    train(fresh(), epochs=1, progress=progress)
    assert capfd.readouterr() == ("", "")


# --- what cannot be trained ----------------------------------------------------------------------

INPUTS, LABELS = TRAIN.tensors


@pytest.mark.parametrize(
    "labels, words",
    [
        (nn.functional.one_hot(LABELS, 2).float(), ["float32", "(330, 2)", "class indices", "(330,)", "argmax"]),
        (nn.functional.one_hot(LABELS, 2), ["int64 of the shape (330, 2)", "class indices", "argmax"]),
        (LABELS.float(), ["float32 of the shape (330,)", "call long()"]),
        (LABELS[:, None], ["(330, 1)", "of the shape (330,)"]),
        (LABELS + 1, ["labels run from 1 to 2", "0 to 1"]),
        (LABELS - 1, ["labels run from -1 to 0"]),
        (torch.ones_like(LABELS), ["all 330 training labels are 1", "one class"]),
    ],
)
def test_labels_that_do_not_fit_are_described(labels, words):
    model = fresh()
    with pytest.raises(TrainingError) as caught:
        train(model, TensorDataset(INPUTS, labels))
    assert [word for word in words if word not in str(caught.value)] == [], caught.value
    assert same(model, fresh())


def test_labels_are_never_broadcast_against_the_outputs():
    model = nn.Sequential(nn.Flatten(), nn.Linear(80, 1))  # (N, 1) against (N,) would give (N, N)
    for loss in (nn.MSELoss(), nn.BCEWithLogitsLoss(), lambda out, want: (out - want).square().mean()):
        with pytest.raises(TrainingError, match=r"shape \(330,\); floating point of the shape \(330, 1\)"):
            train(model, TensorDataset(INPUTS, LABELS.float()), loss=loss)


def test_classes_need_a_logit_each():
    model = nn.Sequential(nn.Flatten(), nn.Linear(80, 1), nn.Flatten(0))
    with pytest.raises(TrainingError, match="one number for each example.*BCEWithLogitsLoss"):
        train(model)


def test_a_validation_set_of_one_class_can_be_judged():
    ones = TensorDataset(INPUTS[LABELS == 1], LABELS[LABELS == 1])
    assert len(train(fresh(), valid=ones, epochs=1).valid_accuracy) == 1


@pytest.mark.parametrize(
    "data, words",
    [
        (TensorDataset(INPUTS[:0], LABELS[:0]), ["the training data are empty"]),
        (DataLoader(TRAIN), ["DataLoader", "a Dataset of pairs", "batches are made here"]),
        ((INPUTS, LABELS), ["tuple", "TensorDataset(inputs, labels)"]),
        (TensorDataset(INPUTS), ["tuple of 1", "a pair is expected"]),
        (INPUTS, ["is a Tensor;", "a pair is expected"]),
    ],
)
def test_data_that_cannot_be_trained_on_are_described(data, words):
    with pytest.raises(TrainingError) as caught:
        train(fresh(), data)
    assert [word for word in words if word not in str(caught.value)] == [], caught.value


@pytest.mark.parametrize(
    "settings, words",
    [
        ({"epochs": 0}, ["epochs is 0", "from 1 up"]),
        ({"batch_size": 6.4}, ["batch_size is 6.4"]),
        ({"patience": 3}, ["no validation data"]),
        ({"patience": 0, "valid": VALID}, ["patience is 0"]),
        ({"resume": True}, ["need a folder"]),
        ({"checkpoint_steps": 5}, ["need a folder"]),
        ({"generator": 1}, ["generator is '1', of type int", "torch.Generator().manual_seed(1)"]),
        ({"loss": nn.CrossEntropyLoss(reduction="sum")}, ["reduction='sum'", "the mean"]),
        ({"optimizer": torch.optim.Adam(MotifCNN().parameters())}, ["of another model", "make it after"]),
    ],
)
def test_settings_that_do_not_fit_are_described(settings, words):
    with pytest.raises(TrainingError) as caught:
        train(fresh(), **settings)
    assert [word for word in words if word not in str(caught.value)] == [], caught.value


# --- a loss that is no number --------------------------------------------------------------------


def why_it_stopped(model=None, data=TRAIN, **arguments) -> str:
    with pytest.raises(TrainingError) as caught:
        train(model or fresh(), data, epochs=50, **arguments)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_a_nan_in_the_input_is_found_and_spoils_no_weight():
    inputs = INPUTS.clone()
    inputs[217, 2, 5] = float("nan")
    model = fresh()
    said = why_it_stopped(model, TensorDataset(inputs, LABELS))
    assert "the loss is nan at step" in said and "(epoch 1)" in said
    assert "the input of training example 217 is NaN or infinite" in said
    assert all(parameter.isfinite().all() for parameter in model.parameters())


def test_a_nan_among_the_labels_is_found():
    model = nn.Sequential(nn.Flatten(), nn.Linear(80, 1), nn.Flatten(0))
    labels = LABELS.float()
    labels[30] = float("inf")
    said = why_it_stopped(model, TensorDataset(INPUTS, labels), loss=nn.MSELoss())
    assert "the label of training example 30 is NaN or infinite" in said


@pytest.mark.parametrize("optimizer, lr", [(torch.optim.SGD, 1e4), (torch.optim.Adam, 1e30)])
def test_a_learning_rate_that_is_too_high_is_named(optimizer, lr):
    model = fresh()
    said = why_it_stopped(model, optimizer=optimizer(model.parameters(), lr=lr))
    assert f"a learning rate of {lr:g} is probably too high" in said
    assert "at step 1 " not in said


def test_the_log_of_0_in_a_loss_is_guessed():
    def careless(logits, labels):
        return -logits.softmax(dim=1)[range(len(labels)), labels].floor().log().mean()

    said = why_it_stopped(loss=careless)
    assert "inf at step 1 (epoch 1)" in said and "the loss took the log of 0" in said


def test_weights_that_were_nan_before_are_not_blamed_on_the_learning_rate():
    model = fresh()
    with torch.no_grad():
        model.conv.bias[0] = float("nan")
    said = "at step 1 (epoch 1): the weights are not finite, nor were they at the start"
    assert said in why_it_stopped(model)


def test_a_nan_in_the_validation_data_is_said_to_be_there():
    inputs = VALID.tensors[0].clone()
    inputs[3] = float("nan")
    with pytest.raises(TrainingError, match="mean loss of the 90 examples that judge the model is nan"):
        train(fresh(), valid=TensorDataset(inputs, VALID.tensors[1]))
