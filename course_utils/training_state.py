"""What a training knows: its history, and all that it must keep to go on after a break as if there had been none.

Used by :mod:`course_utils.training`, which explains the terms; :class:`History` is explained in lesson 04.
"""

import hashlib
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, is_dataclass
from functools import partial
from itertools import islice
from pathlib import Path
from typing import NamedTuple

import torch
from torch import nn
from torch.utils.data import DataLoader, Dataset

from course_utils.batches import ahead, read_batch
from course_utils.checkpoints import CheckpointError, read_checkpoint, write_checkpoint
from course_utils.processes import Processes
from course_utils.training_checks import Loss, TrainingError, device_of, why_no_gradient, why_not_finite


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


class Share(NamedTuple):
    """The part of a batch that this process takes: of a single process, the whole.

    Attributes:
        index: positions of its examples.
        counted: how many of them count (see :meth:`course_utils.processes.Processes.share`).
        whole: examples of the batch, over all processes.
        pair: its inputs and labels, as :func:`course_utils.batches.read_batch` gives them.
    """

    index: torch.Tensor
    counted: int
    whole: int
    pair: list[torch.Tensor]


class Run:
    """All that a training must know to go on as if there had been no break."""

    def __init__(self, model, optimizer, generator, sizes, recipe, processes: Processes):
        self.model, self.optimizer, self.generator = model, optimizer, generator
        self.processes = processes
        self.sizes = sizes  # training examples, validation examples, batch size
        schedule, clip, augment, self.precision = recipe
        self.recipe = [schedule is not None, clip, augment is not None]
        self.rates = [group["lr"] for group in optimizer.param_groups]  # what a schedule multiplies
        # without a schedule, the rates are part of the optimizer's state and come back with it
        self.base_rates = None if schedule is None else [float(rate) for rate in self.rates]
        self.augmentation = _fields_of(augment)
        self.history = History()
        self.best = {}  # the weights of the best epoch
        # What augment draws: of several processes, each has its own chance, and all shuffle alike.
        self.chance = generator
        if processes.size > 1:
            start = generator.get_state().numpy().tobytes() + f"augment {processes.rank}".encode()
            seed = int.from_bytes(hashlib.sha256(start).digest()[:7])
            self.chance = torch.Generator().manual_seed(seed)
        self.shuffle = generator.get_state()  # as it was when the epoch began
        self.present = None  # after a resume within an epoch: the generator's state at the break

    def batches(self, order: DataLoader, data: Dataset, workers: int) -> Iterator[Share]:
        """This process's share of each batch of the epoch; after a resume, of those still to come."""
        done = len(self.history.batch_loss) - self.history.epochs * len(order)
        upcoming = islice(_twin(order) if workers else (), done, None)
        batches = iter(order)
        for _ in islice(batches, done):  # they are dealt out once more, which shuffles as it did then
            pass
        if self.present is not None:
            self.generator.set_state(self.present)
            self.present = None
        share_of = partial(self._share, data=data)
        if not workers:
            yield from map(share_of, batches)
            return
        for _, share in zip(batches, ahead(share_of, upcoming, workers)):
            yield share

    def _share(self, batch: torch.Tensor, data: Dataset) -> Share:
        index, counted = self.processes.share(batch)
        return Share(index, counted, len(batch), read_batch(data, index))

    def set_rates(self, factor: float) -> None:
        for group, rate in zip(self.optimizer.param_groups, self.rates):
            group["lr"] = rate * factor

    def outputs(self, inputs: torch.Tensor) -> torch.Tensor:
        """Of the model, computed in the precision of the training; they have full precision themselves."""
        if self.precision == "float32":
            return self.model(inputs)
        with torch.autocast(inputs.device.type, torch.bfloat16):
            return self.model(inputs).float()

    def step(self, loss: Loss, share: Share, inputs, labels, clip: float | None) -> None:
        """One step of the optimizer, written into the history; or an error before the weights are spoilt."""
        self.optimizer.zero_grad()
        outputs = self.outputs(inputs)
        own_loss = loss(outputs, labels)
        self.history.batch_loss.append(self._over_processes(own_loss.item(), share))
        if not math.isfinite(self.history.batch_loss[-1]):
            if math.isfinite(own_loss.item()):
                raise TrainingError("the loss is no number in another process, which says why")
            raise TrainingError(why_not_finite(self, share.index, inputs, labels, outputs))
        if self.processes.size > 1:  # the sum over processes is to be the mean over the batch
            own_loss = own_loss * (share.counted / share.whole)
        own_loss.backward()
        trained = [weight for group in self.optimizer.param_groups for weight in group["params"]]
        self.processes.add_gradients(trained)
        if clip is not None:
            self.history.gradient_norm.append(nn.utils.clip_grad_norm_(trained, clip).item())
            if not math.isfinite(self.history.gradient_norm[-1]):
                raise TrainingError(why_no_gradient(self))
        self.optimizer.step()

    def _over_processes(self, own_loss: float, share: Share) -> float:
        if self.processes.size == 1:
            return own_loss
        return self.processes.total(own_loss * share.counted)[0] / share.whole

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

    # --- in files ---

    def save(self, folder: Path) -> None:
        """Write last.pt and, before it, best.pt if the last epoch was the best; one process writes for all."""
        chances = _of_all(self._chances(), self.processes)
        if self.processes.rank:
            return
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
            "precision": self.precision,
            "base_rates": self.base_rates,
            "augmentation": self.augmentation,
            "shuffle": self.shuffle,
            "present": self.generator.get_state(),
            "chances": chances,
        }
        write_checkpoint(state, folder / "last.pt")

    def load(self, path: Path) -> None:
        """Go on from a last.pt; nothing is changed unless it belongs to this training."""
        saved = read_checkpoint(path, self.model)
        if "random" in saved:  # files up to version 0.5 know one process
            saved["chances"] = [saved["random"]]
        needed = {"best", "optimizer", "optimizer_class", "sizes", "history", "shuffle", "chances"}
        if not saved.keys() >= needed:
            raise CheckpointError(f"{path} does not hold all that a training goes on from, as last.pt does")
        for what, then, now in (
            ("the optimizer", saved["optimizer_class"], type(self.optimizer).__name__),
            ("[training examples, validation examples, batch size]", saved["sizes"], self.sizes),
            ("the number of processes", len(saved["chances"]), self.processes.size),
            # version 0.3 knew no recipes
            ("[schedule, clip, augment]", saved.get("recipe", [False, None, False]), self.recipe),
            ("the precision", saved.get("precision", "float32"), self.precision),
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
        self._set_chances(saved["chances"][self.processes.rank])

    def _chances(self) -> dict[str, torch.Tensor]:
        """The states of the random numbers that are this process's own: torch's, for dropout, and those of augment."""
        states, device = {"cpu": torch.get_rng_state()}, device_of(self.model)
        if device.type != "cpu":
            states[device.type] = getattr(torch, device.type).get_rng_state(*_card(device))
        if self.chance is not self.generator:
            states["augment"] = self.chance.get_state()
        return states

    def _set_chances(self, states: dict[str, torch.Tensor]) -> None:
        torch.set_rng_state(states["cpu"])
        device = device_of(self.model)
        if device.type != "cpu" and device.type in states:
            getattr(torch, device.type).set_rng_state(states[device.type], *_card(device))
        if self.chance is not self.generator:
            self.chance.set_state(states["augment"])


def _card(device: torch.device) -> tuple[torch.device, ...]:
    """Which of the graphics cards; of others than CUDA's there is one."""
    return (device,) if device.type == "cuda" else ()


def _twin(order: DataLoader) -> list[torch.Tensor]:
    """The batches that `order` will deal out next, and its generator as it was.

    The generator serves augment, too. Were the batches dealt out early, augment would draw other numbers, and
    the result would depend on how many threads read.
    """
    generator = torch.Generator()
    generator.set_state(order.generator.get_state())
    return list(DataLoader(order.dataset, order.batch_size, shuffle=True, generator=generator))


def _of_all(states: dict[str, torch.Tensor], processes: Processes) -> list[dict[str, torch.Tensor]]:
    """The states of each process."""
    sizes = [len(state) for state in states.values()]
    rows = processes.gathered(torch.cat(list(states.values())))
    # Copies: a part in the midst of another tensor's memory ends Python when it is set as a state.
    return [dict(zip(states, (part.clone() for part in row.split(sizes)))) for row in rows]


def _fields_of(augment: Callable | None) -> str | None:
    """What a dataclass, such as Augmentation, says of its fields; None for what tells nothing or an address."""
    said = repr(augment) if is_dataclass(augment) and not isinstance(augment, type) else ""
    return said if said and " at 0x" not in said else None
