"""The packaged loop does what the written-out loop does, and goes on after a break as if there were none."""

import ast
import os
import subprocess
import sys

import nbformat
import numpy as np
import pytest
import torch
from nbclient import NotebookClient
from small_trainings import TRAIN, VALID, examples, fresh, same, shuffler, stopped, train  # noqa: F401
from torch import nn
from torch.utils.data import DataLoader, Dataset, Subset, TensorDataset

from course_utils.checkpoints import load_weights
from course_utils.models import seeded
from course_utils.models.motif_cnn import MotifCNN
from course_utils.progress import progress_bar
from course_utils.training import TrainingError, evaluate, predict

pytestmark = pytest.mark.usefixtures("one_thread")

# ruff: noqa: F811  (a test names the fixture that it takes)


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


def test_the_inputs_of_a_dataset_are_predicted_a_batch_at_a_time():
    model = fresh()
    expected = predict(model, TRAIN.tensors[0], batch_size=100)
    rows = [(inputs, label) for inputs, label in TRAIN]

    class Rows(Dataset):
        def __len__(self):
            return len(rows)

        def __getitem__(self, position):
            return rows[position]

    for data in (TRAIN, Rows()):
        assert torch.equal(predict(model, data, batch_size=100), expected)
    rows.clear()
    with pytest.raises(TrainingError, match="the dataset is empty"):
        predict(model, Rows())


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
