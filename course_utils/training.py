"""One explicit training loop for all lessons: plain PyTorch, with history, early stopping and exact resume.

    history = fit(model, train, valid, loss=nn.CrossEntropyLoss(), optimizer=Adam(model.parameters()),
                  epochs=20, generator=torch.Generator().manual_seed(1))

* Data are torch Datasets of pairs (input, label). A `TensorDataset` is fetched batch by batch, which is faster
  than row by row, as a `DataLoader` does it; the batches are those of
  ``DataLoader(train, batch_size, shuffle=True, generator=generator)``, so that `fit` gives, to the bit, what
  the loop written out in lesson 04 gives.
* Labels are class indices ``(N,)``, int64, for `CrossEntropyLoss` with logits ``(N, K)``; 0.0 and 1.0 of the
  logits' own shape for `BCEWithLogitsLoss`; and of the outputs' own shape for other losses.
* Epochs and steps are counted from 1 in what is said, and lists are in their order.

Explained in lesson 04.
"""

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import NamedTuple

import torch
from torch import nn
from torch.nn import functional
from torch.utils.data import DataLoader, Dataset, Subset, TensorDataset, default_collate

from course_utils.checkpoints import CheckpointError, read_checkpoint, write_checkpoint
from course_utils.progress import progress_bar

Loss = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]


class TrainingError(ValueError):
    """Data, labels or numbers with which a training cannot go on."""


@dataclass(repr=False)
class History:
    """What happened in a training; the lists have an entry for each epoch, `batch_loss` one for each step.

    Attributes:
        train_loss: mean over the epoch's examples, measured while the weights were changing.
        valid_loss: mean over the validation data at the end of the epoch; empty without such data.
        valid_accuracy: share that is right, 0 to 1; empty unless the labels are classes.
        learning_rate: during the epoch.
        batch_loss: of each step, mean over its batch.
    """

    train_loss: list[float] = field(default_factory=list)
    valid_loss: list[float] = field(default_factory=list)
    valid_accuracy: list[float] = field(default_factory=list)
    learning_rate: list[float] = field(default_factory=list)
    batch_loss: list[float] = field(default_factory=list)

    @property
    def epochs(self) -> int:
        """How many epochs were finished."""
        return len(self.train_loss)

    @property
    def best_epoch(self) -> int | None:
        """The epoch, counted from 1, with the lowest validation loss (the first of equals)."""
        if not self.valid_loss:
            return None
        return 1 + min(range(len(self.valid_loss)), key=self.valid_loss.__getitem__)

    def __repr__(self) -> str:
        best = f", lowest validation loss in epoch {self.best_epoch}" if self.valid_loss else ""
        return f"History of {self.epochs} epochs, {len(self.batch_loss)} steps{best}"


class Evaluation(NamedTuple):
    """Mean loss per example, and the share that is right (None unless the labels are classes)."""

    loss: float
    accuracy: float | None


def fit(
    model: nn.Module,
    train: Dataset,
    valid: Dataset | None = None,
    *,
    loss: Loss,
    optimizer: torch.optim.Optimizer,
    epochs: int,
    batch_size: int = 64,
    generator: torch.Generator,
    device: str | torch.device | None = None,
    patience: int | None = None,
    checkpoint: str | Path | None = None,
    checkpoint_steps: int | None = None,
    resume: bool = False,
    progress: bool = True,
) -> History:
    """Train a model in place and return what happened; afterwards the model is in eval mode.

    It goes on from the weights that the model has: for a fresh start, make a fresh model and a fresh
    optimizer.

    Args:
        model: maps a batch of inputs to logits or predictions.
        train: pairs (input, label); a `TensorDataset` is the fastest.
        valid: judged after each epoch, in eval mode and without gradients. Not the test data.
        loss: the mean loss of a batch, from ``(outputs, labels)``.
        optimizer: made with the parameters of this model.
        epochs: how often to go through the training data, in total (with `resume`, too).
        batch_size: examples a step; the last batch of an epoch may be smaller.
        generator: torch's generator of random numbers; it shuffles the training data.
        device: where to move the model and each batch; None for where the model is.
        patience: stop once this many epochs in a row have not lowered the validation loss, and put the
            best weights back. None: all epochs, and the weights of the last one.
        checkpoint: a folder for ``last.pt`` (all that `resume` needs, after each epoch) and, with
            validation data, ``best.pt`` (the best epoch's weights; see
            :func:`course_utils.checkpoints.load_weights`). Without `resume`, those of an earlier training
            in this folder are overwritten.
        checkpoint_steps: write ``last.pt`` also every so many steps within an epoch.
        resume: go on from ``last.pt``, if there is one, as if there had been no break: on the same
            machine, the weights and the history are the same to the bit.
        progress: a bar in the terminal or the notebook, gone when the training ends.

    Raises:
        TrainingError: for data, labels, settings or an optimizer that do not fit; for a loss that is NaN
            or infinite, with the step and the likely cause, before it spoils the weights.
        CheckpointError: for a damaged checkpoint, or one of another model or another training.
        ValueError: as the model says of its input (lesson 04).
    """
    _check_settings(epochs, batch_size, generator, patience, valid, checkpoint, checkpoint_steps, resume)
    device = _device_of(model) if device is None else torch.device(device)
    model.to(device)
    _check_optimizer(optimizer, model)
    train = _checked(train, "training", model, loss)
    valid = None if valid is None else _checked(valid, "validation", model, loss)
    # The loader deals out positions alone; `_batch` then takes a whole batch at one go.
    order = DataLoader(range(len(train)), batch_size, shuffle=True, generator=generator)

    run = _Run(model, optimizer, generator, [len(train), len(valid or ()), batch_size])
    folder = None if checkpoint is None else Path(checkpoint)
    if resume and (folder / "last.pt").exists():
        run.load(folder / "last.pt")
    elif folder is not None:  # from here on, the files of an earlier training are not taken for this one's
        (folder / "best.pt").unlink(missing_ok=True)
        run.save(folder)
    history = run.history

    with progress_bar(epochs * len(order), done=len(history.batch_loss), wanted=progress) as bar:
        while history.epochs < epochs and not run.out_of_patience(patience):
            model.train()
            for index in run.batches(order):
                inputs, labels = _batch(train, index, device)
                optimizer.zero_grad()
                outputs = model(inputs)
                batch_loss = loss(outputs, labels)
                history.batch_loss.append(batch_loss.item())
                if not math.isfinite(history.batch_loss[-1]):
                    raise TrainingError(_why_not_finite(run, index, inputs, labels, outputs))
                batch_loss.backward()
                optimizer.step()
                bar.update()
                if checkpoint_steps and len(history.batch_loss) % checkpoint_steps == 0:
                    run.save(folder)
            run.end_epoch(None if valid is None else _judge(model, valid, loss, batch_size))
            if folder is not None:
                run.save(folder)
            said = f"epoch {history.epochs} of {epochs}: loss {history.train_loss[-1]:.3g}"
            bar.set_postfix_str(said, refresh=False)
    if patience is not None:
        model.load_state_dict(run.best)
    model.eval()
    return history


def evaluate(model: nn.Module, data: Dataset, *, loss: Loss, batch_size: int = 256) -> Evaluation:
    """The mean loss per example of a model in eval mode and, where labels are classes, its accuracy.

    The decision is the class of the largest logit; of a single logit, whether it is above 0. The model
    stays on its device and in its mode.

    Raises:
        TrainingError: for data or labels that do not fit the model or the loss, or a mean loss that is
            NaN or infinite (lesson 04).
    """
    return _judge(model, _checked(data, "evaluated", model, loss), loss, batch_size)


def predict(model: nn.Module, inputs: torch.Tensor, *, batch_size: int = 256) -> torch.Tensor:
    """The outputs ``(N, ...)`` of a model in eval mode for inputs ``(N, ...)``: on the CPU, without gradients.

    The outputs of our networks are logits; ``softmax(dim=1)`` makes probabilities of them. The model
    stays on its device and in its mode.

    Raises:
        TrainingError: for no inputs at all.
        ValueError: as the model says of its input (lesson 04).
    """
    inputs = torch.as_tensor(inputs)
    if not inputs.numel():
        raise TrainingError(f"the inputs have the shape {tuple(inputs.shape)}: nothing to predict from")
    device = _device_of(model)
    with _eval_mode(model):
        return torch.cat([model(batch.to(device)).cpu() for batch in inputs.split(batch_size)])


# --- one batch, one judgement --------------------------------------------------------------------


def _batch(data: Dataset, index: torch.Tensor, device: torch.device) -> list[torch.Tensor]:
    """The inputs and labels at these positions."""
    if isinstance(data, TensorDataset):
        pair = [tensor[index] for tensor in data.tensors]
    else:
        pair = default_collate([data[position] for position in index.tolist()])
    return [tensor.to(device) for tensor in pair]


def _judge(model: nn.Module, data: Dataset, loss: Loss, batch_size: int) -> Evaluation:
    device, total, right, decisions = _device_of(model), 0.0, 0, 0
    with _eval_mode(model):
        for index in torch.arange(len(data)).split(batch_size):
            inputs, labels = _batch(data, index, device)
            outputs = model(inputs)
            total += loss(outputs, labels).item() * len(index)
            kind = _kind_of_labels(labels, loss)
            if kind != "values":
                decided = outputs.argmax(dim=1) if kind == "classes" else (outputs > 0).float()
                right += (decided == labels).sum().item()
                decisions += labels.numel()
    if not math.isfinite(total):
        raise TrainingError(
            f"the mean loss of the {len(data)} examples that judge the model is {total}: an input holds NaN, "
            "or a too high learning rate has spoiled the weights"
        )
    return Evaluation(total / len(data), right / decisions if decisions else None)


@contextmanager
def _eval_mode(model: nn.Module) -> Iterator[None]:
    """Dropout off, batch statistics fixed and no gradients inside the block."""
    training = model.training
    model.eval()
    try:
        with torch.no_grad():
            yield
    finally:
        model.train(training)


def _device_of(model: nn.Module) -> torch.device:
    return next((parameter.device for parameter in model.parameters()), torch.device("cpu"))


# --- the state of a training ---------------------------------------------------------------------


class _Run:
    """All that a training must know to go on as if there had been no break."""

    def __init__(self, model, optimizer, generator, sizes):
        self.model, self.optimizer, self.generator = model, optimizer, generator
        self.sizes = sizes  # training examples, validation examples, batch size
        self.history = History()
        self.best = {}  # the weights of the best epoch
        self.shuffle = generator.get_state()  # as it was when the epoch began

    def batches(self, order: DataLoader) -> Iterator[torch.Tensor]:
        """Positions of the examples of each batch of the epoch; after a resume, of those still to come."""
        done = len(self.history.batch_loss) - self.history.epochs * len(order)
        return islice(order, done, None)

    def end_epoch(self, judged: Evaluation | None) -> None:
        """Write the epoch into the history, and keep its weights if they are the best so far."""
        history, (examples, _, batch_size) = self.history, self.sizes
        steps = math.ceil(examples / batch_size)
        sizes = [min(batch_size, examples - step * batch_size) for step in range(steps)]
        total = sum(loss * size for loss, size in zip(history.batch_loss[-steps:], sizes))
        history.train_loss.append(total / examples)
        history.learning_rate.append(float(self.optimizer.param_groups[0]["lr"]))
        self.shuffle = self.generator.get_state()
        if judged is None:
            return
        history.valid_loss.append(judged.loss)
        if judged.accuracy is not None:
            history.valid_accuracy.append(judged.accuracy)
        if history.best_epoch == history.epochs:
            self.best = {name: value.clone() for name, value in self.model.state_dict().items()}

    def out_of_patience(self, patience: int | None) -> bool:
        best = self.history.best_epoch
        return patience is not None and best is not None and self.history.epochs - best >= patience

    def save(self, folder: Path) -> None:
        """Write last.pt and, before it, best.pt if the last epoch was the best."""
        if self.best and self.history.best_epoch == self.history.epochs:
            write_checkpoint({"model": self.best}, folder / "best.pt")
        state = {
            "model": self.model.state_dict(),
            "best": self.best,
            "optimizer": self.optimizer.state_dict(),
            "optimizer_class": type(self.optimizer).__name__,
            "sizes": self.sizes,
            "history": vars(self.history),
            "shuffle": self.shuffle,
            "random": _random_states(_device_of(self.model)),
        }
        write_checkpoint(state, folder / "last.pt")

    def load(self, path: Path) -> None:
        """Go on from a last.pt; nothing is changed unless it belongs to this training."""
        saved = read_checkpoint(path, self.model)
        needed = {"best", "optimizer", "optimizer_class", "sizes", "history", "shuffle", "random"}
        if not saved.keys() >= needed:
            raise CheckpointError(f"{path} does not hold all that a training goes on from, as last.pt does")
        for what, then, now in (
            ("the optimizer", saved["optimizer_class"], type(self.optimizer).__name__),
            ("[training examples, validation examples, batch size]", saved["sizes"], self.sizes),
        ):
            if then != now:
                raise CheckpointError(f"{path} is of another training: {what} was {then}, and is {now} now")
        try:
            self.optimizer.load_state_dict(saved["optimizer"])
        except ValueError:
            raise CheckpointError(f"{path} is of another training: its optimizer had other groups") from None
        self.model.load_state_dict(saved["model"])
        self.best = saved["best"]
        self.history = History(**saved["history"])
        self.shuffle = saved["shuffle"]
        self.generator.set_state(self.shuffle)
        torch.set_rng_state(saved["random"]["cpu"])
        device = _device_of(self.model)
        if device.type != "cpu" and device.type in saved["random"]:
            getattr(torch, device.type).set_rng_state(saved["random"][device.type])


def _random_states(device: torch.device) -> dict[str, torch.Tensor]:
    """The states of torch's own random numbers, which dropout uses."""
    states = {"cpu": torch.get_rng_state()}
    if device.type != "cpu":
        states[device.type] = getattr(torch, device.type).get_rng_state()
    return states


# --- checks --------------------------------------------------------------------------------------


def _kind_of_labels(labels: torch.Tensor, loss: Loss) -> str:
    """``"classes"``, ``"yes or no"`` (a logit each) or ``"values"``, from the loss or else from the labels."""
    if isinstance(loss, (nn.CrossEntropyLoss, nn.NLLLoss)):
        return "classes"
    if loss in (functional.cross_entropy, functional.nll_loss):
        return "classes"
    if isinstance(loss, nn.BCEWithLogitsLoss) or loss == functional.binary_cross_entropy_with_logits:
        return "yes or no"
    return "values" if labels.is_floating_point() else "classes"


def _check_settings(epochs, batch_size, generator, patience, valid, checkpoint, checkpoint_steps, resume):
    for what, number in (
        ("epochs", epochs),
        ("batch_size", batch_size),
        ("patience", patience),
        ("checkpoint_steps", checkpoint_steps),
    ):
        optional = what in ("patience", "checkpoint_steps")
        if not (optional and number is None) and (not isinstance(number, int) or number < 1):
            raise TrainingError(f"{what} is {number!r}; a whole number from 1 up is expected")
    if not isinstance(generator, torch.Generator):
        raise TrainingError(
            f"generator is {str(generator)[:40]!r}, of type {type(generator).__name__}; torch's generator is "
            "expected, such as torch.Generator().manual_seed(1)"
        )
    if patience is not None and valid is None:
        raise TrainingError("patience watches the validation loss, and there are no validation data")
    if checkpoint is None and (resume or checkpoint_steps):
        raise TrainingError("resume and checkpoint_steps need a folder: checkpoint=...")


def _check_optimizer(optimizer: torch.optim.Optimizer, model: nn.Module) -> None:
    """A model made anew in a notebook, with the optimizer of the old one, would learn nothing."""
    known = {id(parameter) for parameter in model.parameters()}
    if not all(id(p) in known for group in optimizer.param_groups for p in group["params"]):
        raise TrainingError(
            "the optimizer holds parameters of another model: make it after the model, from model.parameters()"
        )


def _checked(data: Dataset, name: str, model: nn.Module, loss: Loss) -> Dataset:
    """The data, as a TensorDataset where it is a part of one; or an error that says what does not fit."""
    unlike = isinstance(data, (DataLoader, tuple)) or not hasattr(data, "__getitem__")
    if unlike or not hasattr(data, "__len__"):
        raise TrainingError(
            f"the {name} data came as {type(data).__name__}; a Dataset of pairs is expected, such as "
            "TensorDataset(inputs, labels): batches are made here"
        )
    if not len(data):
        raise TrainingError(f"the {name} data are empty; at least one example is expected")
    if isinstance(data, Subset) and isinstance(data.dataset, TensorDataset):
        data = TensorDataset(*(tensor[list(data.indices)] for tensor in data.dataset.tensors))
    first = data[0]
    if not isinstance(first, (tuple, list)) or len(first) != 2:
        many = f" of {len(first)}" if isinstance(first, (tuple, list)) else ""
        raise TrainingError(
            f"an example of the {name} data is a {type(first).__name__}{many}; a pair is expected, input and label"
        )
    if getattr(loss, "reduction", "mean") != "mean":
        raise TrainingError(f"the loss has reduction={loss.reduction!r}; the mean of a batch is expected")
    inputs, labels = _batch(data, torch.arange(min(2, len(data))), _device_of(model))
    with _eval_mode(model):
        outputs = model(inputs)
    all_labels = data.tensors[1] if isinstance(data, TensorDataset) else None
    _check_labels(labels if all_labels is None else all_labels, outputs, name, loss)
    if name == "training" and all_labels is not None and _kind_of_labels(labels, loss) != "values":
        if len(data) > 1 and all_labels.min() == all_labels.max():
            raise TrainingError(
                f"all {len(data)} training labels are {all_labels.flatten()[0]:g}: from one class alone there "
                "is nothing to tell apart; were the data sorted and then cut?"
            )
    return data


def _check_labels(labels: torch.Tensor, outputs: torch.Tensor, name: str, loss: Loss) -> None:
    many, kind = len(labels), _kind_of_labels(labels, loss)
    came = f"the {name} labels are {str(labels.dtype).removeprefix('torch.')} of the shape {tuple(labels.shape)}"
    shape = (many, *outputs.shape[2:]) if kind == "classes" else (many, *outputs.shape[1:])
    if kind == "classes" and outputs.dim() < 2:
        raise TrainingError(
            f"the model gives one number for each example, and {came}; for classes, a logit for each is "
            "expected, or floating-point labels and BCEWithLogitsLoss"
        )
    if kind == "classes" and (labels.dtype != torch.int64 or labels.shape != shape):
        remedy = ""
        if labels.shape == (many, *outputs.shape[1:]):
            remedy = ": argmax(dim=1) turns one-hot labels into them"
        elif labels.shape == shape:
            remedy = ": call long() on them"
        raise TrainingError(f"{came}; class indices are expected, int64 of the shape {shape}{remedy}")
    if kind != "classes" and (not labels.is_floating_point() or labels.shape != shape):
        raise TrainingError(
            f"{came}; floating point of the shape {shape}, that of the model's outputs, is expected"
        )
    classes = outputs.shape[1] if kind == "classes" else 2
    if kind != "values" and not 0 <= labels.min() <= labels.max() <= classes - 1:
        raise TrainingError(
            f"the {name} labels run from {labels.min():g} to {labels.max():g}; "
            f"0 to {classes - 1} is expected"
        )


def _why_not_finite(run: _Run, index, inputs, labels, outputs) -> str:
    """One sentence about a loss that is NaN or infinite: the step, and what was wrong before it."""
    history = run.history
    step, epoch = len(history.batch_loss), history.epochs + 1
    where = f"the loss is {history.batch_loss[-1]} at step {step} (epoch {epoch})"
    for what, tensor in (("input", inputs), ("label", labels)):
        odd = ~tensor.isfinite().flatten(1).all(dim=1) if tensor.dim() > 1 else ~tensor.isfinite()
        if odd.any():
            return f"{where}: the {what} of training example {index[odd.cpu()][0]} is NaN or infinite"
    rate = f"a learning rate of {run.optimizer.param_groups[0]['lr']:g} is probably too high"
    if not all(parameter.isfinite().all() for parameter in run.model.parameters()):
        return f"{where}: the weights are not finite, " + ("nor were they at the start" if step == 1 else rate)
    if not outputs.isfinite().all():
        return f"{where}: inputs and weights are finite, the model's outputs are not; {rate}"
    return (
        f"{where}: the model's outputs are finite, so the loss took the log of 0 or divided by 0; "
        "use a loss that takes logits"
    )
