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

Explained in lesson 04; schedule, clip and augment in lesson 10.
"""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, is_dataclass
from itertools import islice
from pathlib import Path
from typing import NamedTuple

import torch
from torch import nn
from torch.utils.data import DataLoader, Dataset

from course_utils.checkpoints import CheckpointError, read_checkpoint, write_checkpoint
from course_utils.progress import progress_bar
from course_utils.training_checks import (
    Loss,
    TrainingError,
    augmented,
    batch_of,
    check_optimizer,
    check_recipe,
    check_settings,
    checked_data,
    device_of,
    eval_mode,
    kind_of_labels,
    rate_factor,
    why_no_gradient,
    why_not_finite,
)

__all__ = ["Evaluation", "History", "Loss", "TrainingError", "evaluate", "fit", "predict"]

Augment = Callable[[torch.Tensor, torch.Tensor, torch.Generator], tuple[torch.Tensor, torch.Tensor]]


@dataclass(repr=False)
class History:
    """What happened in a training; the lists have an entry for each epoch, the last two one for each step.

    Attributes:
        train_loss: mean over the epoch's examples, measured while the weights were changing.
        valid_loss: mean over the validation data at the end of the epoch; empty without such data.
        valid_accuracy: share that is right, 0 to 1; empty unless the labels are classes.
        learning_rate: of the last step of the epoch (of the optimizer's first group of parameters).
        batch_loss: of each step, mean over its batch.
        gradient_norm: of each step, over the optimizer's weights, before it was clipped; empty without `clip`.
    """

    train_loss: list[float] = field(default_factory=list)
    valid_loss: list[float] = field(default_factory=list)
    valid_accuracy: list[float] = field(default_factory=list)
    learning_rate: list[float] = field(default_factory=list)
    batch_loss: list[float] = field(default_factory=list)
    gradient_norm: list[float] = field(default_factory=list)

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
    schedule: Callable[[int], float] | None = None,
    clip: float | None = None,
    augment: Augment | None = None,
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
        schedule: gives for a step, counted from 0 over all epochs, the factor of the optimizer's learning
            rates, such as :func:`course_utils.schedules.cosine`. The rates that it multiplies are those of
            the optimizer as it came, for each group its own; they are put back at the end (lesson 10).
        clip: the largest norm of the gradient over the optimizer's weights; a longer gradient is scaled down
            to it before the step. History notes the norms (lesson 10).
        augment: called as ``augment(inputs, labels, generator)`` on each training batch, on the model's
            device; gives a pair of the same shapes, such as :class:`course_utils.augmentation.Augmentation`.
            All its chance should come from the generator, which is the one above (lesson 10).
        checkpoint: a folder for ``last.pt`` (all that `resume` needs, after each epoch) and, with
            validation data, ``best.pt`` (the best epoch's weights; see
            :func:`course_utils.checkpoints.load_weights`). Without `resume`, those of an earlier training
            in this folder are overwritten.
        checkpoint_steps: write ``last.pt`` also every so many steps within an epoch.
        resume: go on from ``last.pt``, if there is one, as if there had been no break: on the same
            machine, the weights and the history are the same to the bit. What can be compared is: the numbers
            of examples, the batch size, the optimizer's class, whether there is a schedule and the rates that
            it multiplies, the clip, and the fields of an `Augmentation` or another dataclass. Not compared are
            the examples themselves, the loss, the patience, and what schedule and augment compute if they are
            other functions: give the same. The optimizer's settings (without a schedule, its rates, too) are
            those of the file.
        progress: a bar in the terminal or the notebook, gone when the training ends.

    Raises:
        TrainingError: for data, labels, settings or an optimizer that do not fit; for a factor of the schedule
            that is no number from 0 up; for an augment that gives no pair of the same shapes; for a loss, or
            with `clip` a gradient, that is NaN or infinite, with the step and the likely cause, before it
            spoils the weights.
        CheckpointError: for a damaged checkpoint, or one of another model or another training.
        OSError: for a checkpoint that cannot be written; the one before it stays.
        ValueError: as the model says of its input; as the schedule says, before the first step, if it is too
            short for all epochs (lesson 04).
    """
    check_settings(epochs, batch_size, generator, patience, valid, checkpoint, checkpoint_steps, resume)
    check_recipe(schedule, clip, augment)
    device = device_of(model) if device is None else torch.device(device)
    model.to(device)
    check_optimizer(optimizer, model)
    train = checked_data(train, "training", model, loss)
    valid = None if valid is None else checked_data(valid, "validation", model, loss)
    # The loader deals out positions alone; `_batch` then takes a whole batch at one go.
    order = DataLoader(range(len(train)), batch_size, shuffle=True, generator=generator)

    if schedule is not None:  # one that is too short is told now, not after hours
        rate_factor(schedule, epochs * len(order) - 1)

    run = _Run(model, optimizer, generator, [len(train), len(valid or ()), batch_size], (schedule, clip, augment))
    folder = None if checkpoint is None else Path(checkpoint)
    if resume and (folder / "last.pt").exists():
        run.load(folder / "last.pt")
    elif folder is not None:  # from here on, the files of an earlier training are not taken for this one's
        (folder / "best.pt").unlink(missing_ok=True)
        run.save(folder)
    history = run.history

    try:
        with progress_bar(epochs * len(order), done=len(history.batch_loss), wanted=progress) as bar:
            while history.epochs < epochs and not run.out_of_patience(patience):
                model.train()
                for index in run.batches(order):
                    inputs, labels = batch_of(train, index, device)
                    if augment is not None:
                        inputs, labels = augmented(augment, inputs, labels, generator)
                    if schedule is not None:
                        run.set_rates(rate_factor(schedule, len(history.batch_loss)))
                    run.step(loss, index, inputs, labels, clip)
                    bar.update()
                    if checkpoint_steps and len(history.batch_loss) % checkpoint_steps == 0:
                        run.save(folder)
                run.end_epoch(None if valid is None else _judge(model, valid, loss, batch_size))
                if folder is not None:
                    run.save(folder)
                said = f"epoch {history.epochs} of {epochs}: loss {history.train_loss[-1]:.3g}"
                bar.set_postfix_str(said, refresh=False)
    finally:
        if schedule is not None:  # so that this optimizer can be used again, after an interruption too
            run.set_rates(1)
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
    return _judge(model, checked_data(data, "evaluated", model, loss), loss, batch_size)


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
    device = device_of(model)
    with eval_mode(model):
        return torch.cat([model(batch.to(device)).cpu() for batch in inputs.split(batch_size)])


# --- one judgement -------------------------------------------------------------------------------


def _judge(model: nn.Module, data: Dataset, loss: Loss, batch_size: int) -> Evaluation:
    device, total, right, decisions = device_of(model), 0.0, 0, 0
    with eval_mode(model):
        for index in torch.arange(len(data)).split(batch_size):
            inputs, labels = batch_of(data, index, device)
            outputs = model(inputs)
            total += loss(outputs, labels).item() * len(index)
            kind = kind_of_labels(labels, loss)
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


# --- the state of a training ---------------------------------------------------------------------


class _Run:
    """All that a training must know to go on as if there had been no break."""

    def __init__(self, model, optimizer, generator, sizes, recipe):
        self.model, self.optimizer, self.generator = model, optimizer, generator
        self.sizes = sizes  # training examples, validation examples, batch size
        schedule, clip, augment = recipe
        self.recipe = [schedule is not None, clip, augment is not None]
        self.rates = [group["lr"] for group in optimizer.param_groups]  # what a schedule multiplies
        # without a schedule, the rates are part of the optimizer's state and come back with it
        self.base_rates = None if schedule is None else [float(rate) for rate in self.rates]
        self.augmentation = _fields_of(augment)
        self.history = History()
        self.best = {}  # the weights of the best epoch
        self.shuffle = generator.get_state()  # as it was when the epoch began
        self.present = None  # after a resume within an epoch: the generator's state at the break

    def batches(self, order: DataLoader) -> Iterator[torch.Tensor]:
        """Positions of the examples of each batch of the epoch; after a resume, of those still to come."""
        done = len(self.history.batch_loss) - self.history.epochs * len(order)
        batches = iter(order)
        for _ in islice(batches, done):  # they are dealt out once more, which shuffles as it did then
            pass
        if self.present is not None:
            self.generator.set_state(self.present)
            self.present = None
        yield from batches

    def set_rates(self, factor: float) -> None:
        for group, rate in zip(self.optimizer.param_groups, self.rates):
            group["lr"] = rate * factor

    def step(self, loss: Loss, index, inputs, labels, clip: float | None) -> None:
        """One step of the optimizer, written into the history; or an error before the weights are spoilt."""
        self.optimizer.zero_grad()
        outputs = self.model(inputs)
        batch_loss = loss(outputs, labels)
        self.history.batch_loss.append(batch_loss.item())
        if not math.isfinite(self.history.batch_loss[-1]):
            raise TrainingError(why_not_finite(self, index, inputs, labels, outputs))
        batch_loss.backward()
        if clip is not None:
            trained = [weight for group in self.optimizer.param_groups for weight in group["params"]]
            self.history.gradient_norm.append(nn.utils.clip_grad_norm_(trained, clip).item())
            if not math.isfinite(self.history.gradient_norm[-1]):
                raise TrainingError(why_no_gradient(self))
        self.optimizer.step()

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
            "recipe": self.recipe,
            "base_rates": self.base_rates,
            "augmentation": self.augmentation,
            "shuffle": self.shuffle,
            "present": self.generator.get_state(),
            "random": _random_states(device_of(self.model)),
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
            # version 0.3 knew no recipes
            ("[schedule, clip, augment]", saved.get("recipe", [False, None, False]), self.recipe),
            # files written before these were kept have nothing to compare
            ("the rate that the schedule multiplies", saved.get("base_rates", self.base_rates), self.base_rates),
            ("augment", saved.get("augmentation", self.augmentation), self.augmentation),
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
        if len(self.history.batch_loss) > self.history.epochs * math.ceil(self.sizes[0] / self.sizes[2]):
            self.present = saved.get("present")  # version 0.3 drew nothing within an epoch
        torch.set_rng_state(saved["random"]["cpu"])
        device = device_of(self.model)
        if device.type != "cpu" and device.type in saved["random"]:
            getattr(torch, device.type).set_rng_state(saved["random"][device.type])


def _fields_of(augment: Augment | None) -> str | None:
    """What a dataclass, such as Augmentation, says of its fields; None for what tells nothing or an address."""
    said = repr(augment) if is_dataclass(augment) and not isinstance(augment, type) else ""
    return said if said and " at 0x" not in said else None


def _random_states(device: torch.device) -> dict[str, torch.Tensor]:
    """The states of torch's own random numbers, which dropout uses."""
    states = {"cpu": torch.get_rng_state()}
    if device.type != "cpu":
        states[device.type] = getattr(torch, device.type).get_rng_state()
    return states
