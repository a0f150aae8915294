"""The second half of lesson 04's exercises: one epoch of training, when to stop, what a filter sees."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps

import numpy as np

from course_utils.exercises import Exercise, Feedback, Mistake, is_untouched
from course_utils.exercises._random import random_sequence
from course_utils.sequences import one_hot

# --- one_epoch: a broken training loop, mended ---------------------------------------------------


@dataclass(frozen=True)
class _Task:
    """A tiny model with its data, in plain numbers: torch's own objects are built anew for each answer."""

    weights: tuple[float, ...]  # of the inputs, and the bias last
    examples: tuple[tuple[float, ...], ...]  # inputs, and the label last
    batch_size: int
    learning_rate: float

    def __repr__(self):
        full, rest = divmod(len(self.examples), self.batch_size)
        sizes = ", ".join([str(self.batch_size)] * full + [str(rest)] * (rest > 0))
        return (
            f"a linear model with weights and bias {list(self.weights)}, batches of {sizes} examples, "
            f"learning rate {self.learning_rate}"
        )


class _Short(float):
    """A number that is written with four digits after the point, and compared with all it has."""

    def __repr__(self):
        return f"{self:.4f}"


def _on_a_model(train_one_epoch: Callable) -> Callable:
    """Run an answer on a fresh model; give what it returned, and the model's weights after it."""

    @wraps(train_one_epoch)
    def run(task: _Task) -> dict:
        import torch
        from torch import nn
        from torch.utils.data import DataLoader, TensorDataset

        numbers = torch.tensor(task.examples, dtype=torch.float64)
        model = nn.Linear(len(task.weights) - 1, 1, dtype=torch.float64)
        with torch.no_grad():
            model.weight[:] = torch.tensor(task.weights[:-1])
            model.bias[:] = task.weights[-1]
        model.eval()  # as it is left when the epoch before was judged
        loader = DataLoader(TensorDataset(numbers[:, :-1], numbers[:, -1:]), task.batch_size)
        optimizer = torch.optim.SGD(model.parameters(), lr=task.learning_rate)
        returned = train_one_epoch(model, loader, nn.MSELoss(), optimizer)
        if isinstance(returned, torch.Tensor) and returned.numel() == 1:
            returned = returned.item()
        return {
            "returned": _Short(returned) if isinstance(returned, float) else returned,
            "weights after it": [_Short(w) for w in (*model.weight[0].tolist(), model.bias.item())],
            "mode": "train" if model.training else "eval",
        }

    run.takes_a_task = True
    return run


class _LoopExercise(Exercise):
    """An exercise whose answer trains a model: the check looks at the weights, too."""

    def __call__(self, answer: Callable, seed: int = 0) -> Feedback:
        ready = hasattr(answer, "takes_a_task") or is_untouched(answer) or not callable(answer)
        return super().__call__(answer if ready else _on_a_model(answer), seed)

    def _what_happened(self, case, expected, given):
        if given.error:  # the first frame below ours is `run`; the reader's line comes after it
            frame = given.error.__traceback__.tb_next.tb_next
            given.place = f" (line {frame.tb_lineno} of the cell)" if frame else ""
        return super()._what_happened(case, expected, given)


def _loop(
    zero: bool = True,
    mean: str = "examples",
    order: str = "backward, step",
    mode: bool | None = True,
) -> Callable:
    """A training loop; each argument that is not left as it is breaks it in one way."""

    def train_one_epoch(model, loader, loss_function, optimizer):
        if mode is not None:
            model.train(mode)
        losses, sizes = [], []
        for inputs, labels in loader:
            if zero:
                optimizer.zero_grad()
            loss = loss_function(model(inputs), labels)
            if order == "step, backward":
                optimizer.step()
            if order != "step":
                loss.backward()
            if order in ("backward, step", "step"):
                optimizer.step()
            losses.append(loss.item())
            sizes.append(len(labels))
        if mean == "last":
            return losses[-1]
        if mean == "batches":
            return sum(losses) / len(losses)
        total = sum(loss * size for loss, size in zip(losses, sizes))
        return {"examples": total / sum(sizes), "sum": total, "sum of means": sum(losses), "none": None}[
            mean
        ]

    return _on_a_model(train_one_epoch)


def _task_cases(rng):
    def task(inputs, many, batch_size, rate):
        weights = tuple(rng.normal(size=inputs + 1).round(2).tolist())
        examples = rng.normal(size=(many, inputs + 1)).round(2) + 1  # far from what it says at first
        return (_Task(weights, tuple(map(tuple, examples.tolist())), batch_size, rate),)

    return [task(1, 5, 2, 0.1), task(2, 10, 4, 0.05), task(3, 17, 5, 0.1)]


one_epoch = _LoopExercise(
    oracle=_loop(),
    cases=_task_cases,
    mistakes=[
        Mistake(
            _loop(zero=False),
            "the gradients of all batches so far pile up, because backward() adds to what is there: set "
            "them to zero for each batch.",
        ),
        Mistake(
            _loop(mean="last"),
            "the training is right, and the number is the last batch's loss, which says little of the epoch.",
        ),
        Mistake(
            _loop(mean="batches"),
            "this is the mean of the batches' means; the last batch is smaller, so its examples count for "
            "more than the others. Weigh each batch's loss with its number of examples.",
        ),
        Mistake(
            _loop(mean="sum of means"),
            "the training is right; the losses of the batches were added up and not divided.",
        ),
        Mistake(
            _loop(mean="sum"),
            "the training is right; divide the sum over the examples by how many there are.",
        ),
        Mistake(
            _loop(mean="none"),
            "the training is right, and your function gives back nothing: end with `return`.",
        ),
        Mistake(
            _loop(zero=False, mean="last"),
            "two faults are left: no zero_grad(), and the loss that is returned is not the whole epoch's.",
        ),
        Mistake(
            _loop(order="step"),
            "the weights did not move: a step follows the gradient, so it comes after backward(), and "
            "zero_grad() does not stand between the two.",
        ),
        Mistake(
            _loop(mode=None),
            "weights and loss are right; but the model came in eval mode, as judging leaves it, and a model "
            "with dropout would learn without it: begin with model.train().",
        ),
        Mistake(
            _loop(zero=False, order="step, backward"),
            "each step follows the batch before its own, because step() stands before backward(), and the "
            "gradients pile up.",
        ),
        Mistake(
            _loop(zero=False, order="step, backward", mean="last", mode=None),
            "this is the broken loop as it was; compare its lines, one by one, with the five steps.",
        ),
    ],
)


# --- early_stopping: whose weights are kept ------------------------------------------------------


def _stop_epoch(valid_losses: list[float], patience: int) -> int:
    best, since = 1, 0
    for epoch in range(2, len(valid_losses) + 1):
        if valid_losses[epoch - 1] < valid_losses[best - 1]:
            best, since = epoch, 0
        else:
            since += 1
        if since == patience:
            break
    return best


def _stopping(
    reset: bool = True, versus_last: bool = False, late: int = 0, ties: bool = False, gives: str = "best"
) -> Callable:
    def slip(valid_losses: list[float], patience: int) -> int:
        best, since, lowest, epoch = 1, 0, valid_losses[0], 1
        for epoch in range(2, len(valid_losses) + 1):
            loss = valid_losses[epoch - 1]
            before = valid_losses[epoch - 2] if versus_last else lowest
            if loss < before or (ties and loss == before):
                since = 0 if reset else since
            else:
                since += 1
            if loss < lowest or (ties and loss == lowest):
                best, lowest = epoch, loss
            if since == patience + late:
                break
        return {"best": best, "last": epoch, "from 0": best - 1, "loss": lowest}[gives]

    return slip


def _stopping_cases(rng):
    def losses(epochs):
        curve = 0.9 * np.exp(-np.arange(epochs) / 4) + 0.01 * np.arange(epochs)
        return (curve + rng.normal(0, 0.05, epochs)).round(3).tolist()

    return [
        ([0.5, 0.4, 0.3], 2),
        ([0.7, 0.5, 0.6, 0.4, 0.6, 0.7, 0.3], 2),
        ([0.9, 1.0, 0.8, 0.9, 0.7, 0.8], 2),
        ([0.5, 0.9, 0.8, 0.7, 0.4], 2),
        ([0.5, 0.5, 0.6, 0.7], 3),
        ([0.5, 0.6, 0.7, 0.4], 2),
        *((losses(20), patience) for patience in (2, 3, 5)),
    ]


early_stopping = Exercise(
    oracle=_stop_epoch,
    cases=_stopping_cases,
    mistakes=[
        Mistake(
            lambda losses, patience: 1 + losses.index(min(losses)),
            "this is the lowest loss of all; epochs after the stop were never trained, so nothing is known "
            "of them.",
        ),
        Mistake(
            lambda losses, patience: losses.index(min(losses)),
            "this is the lowest loss of all, counted from 0; count from 1, and ask where patience ends.",
        ),
        Mistake(
            _stopping(gives="last"),
            "this is the last epoch that is trained; the weights that are kept are the best ones before it.",
        ),
        Mistake(
            lambda losses, patience: len(losses),
            "this is the last epoch of the list, with no stop at all.",
        ),
        Mistake(
            _stopping(gives="from 0"),
            "one too few: epochs count from 1 here.",
        ),
        Mistake(
            _stopping(reset=False),
            "epochs without progress are counted in total; patience counts those in a row, so a new best "
            "sets the count back to 0.",
        ),
        Mistake(
            _stopping(versus_last=True),
            "each loss is compared with the one before; a loss that falls again after a bad epoch is no "
            "progress until it is below the best one.",
        ),
        Mistake(
            _stopping(late=1),
            "one epoch too patient: stop as soon as the count reaches `patience`, not when it exceeds it.",
        ),
        Mistake(
            _stopping(late=-1),
            "one epoch too impatient: the best epoch itself does not count.",
        ),
        Mistake(
            _stopping(ties=True),
            "a loss equal to the best one is no progress; only a lower one is.",
        ),
        Mistake(
            _stopping(gives="loss"),
            "this is the loss; the epoch is asked.",
        ),
    ],
)


# --- filter_to_pfm: what a filter responds to ----------------------------------------------------


def _activating_windows(
    one_hot: np.ndarray, activations: np.ndarray, width: int, threshold: float
) -> np.ndarray:
    length = one_hot.shape[1]
    pfm = np.zeros((width, 4))
    for encoded, row in zip(one_hot, activations):
        best_start = 0
        for start in range(length - width + 1):
            if row[start + width // 2] > row[best_start + width // 2]:
                best_start = start
        if row[best_start + width // 2] > threshold:
            for position in range(width):
                for base in range(4):
                    pfm[position, base] += encoded[best_start + position, base]
    return pfm


def _windows(encoded: np.ndarray, width: int) -> list[np.ndarray]:
    return [encoded[start : start + width] for start in range(len(encoded) - width + 1)]


def _all_windows(one_hot, activations, width, threshold):
    pfm = np.zeros((width, 4))
    for encoded, row in zip(one_hot, activations):
        for start, window in enumerate(_windows(encoded, width)):
            if row[start + width // 2] > threshold:
                pfm += window
    return pfm


def _off_by_the_padding(one_hot, activations, width, threshold):
    """The index of the activation is taken for the start of the window."""
    return _activating_windows(
        one_hot, np.roll(activations, width // 2, axis=1), width, threshold
    )


def _weighted(one_hot, activations, width, threshold):
    pfm = np.zeros((width, 4))
    half = width // 2
    for encoded, row in zip(one_hot, activations):
        inner = row[half : half + len(row) - width + 1]
        if inner.max() > threshold:
            pfm += inner.max() * encoded[inner.argmax() : inner.argmax() + width]
    return pfm


def _probabilities(*case):
    pfm = _activating_windows(*case)
    return pfm / pfm.sum(axis=1, keepdims=True)


def _filter_cases(rng):
    def case(many, length, width, threshold):
        sequences = np.array([one_hot(random_sequence(rng, length)) for _ in range(many)], float)
        half = width // 2
        inner = np.array([rng.permutation(length - 2 * half) for _ in range(many)]) / 8 + 0.125
        activations = np.zeros((many, length))
        # The best match is never one that reaches over an end: every way to leave these out agrees.
        activations[:, half : length - half] = inner
        activations[::3] *= threshold / (activations.max() + 1)  # every third has a weak match alone,
        activations[1] = 0  # and one has none at all
        return (sequences, activations, width, threshold)

    return [case(3, 6, 3, 0.25), case(5, 9, 3, 0.25), case(12, 15, 5, 1.0), case(10, 14, 7, 0.5)]


filter_to_pfm = Exercise(
    oracle=_activating_windows,
    cases=_filter_cases,
    mistakes=[
        Mistake(
            _all_windows,
            "every window above the threshold was counted; of each sequence only the best one is asked.",
        ),
        Mistake(
            lambda x, a, w, t: _activating_windows(x, a, w, -1),
            "sequences without a match were counted too: ask whether the best activation is above the "
            "threshold.",
        ),
        Mistake(
            lambda x, a, w, t: _activating_windows(x, a, w, 0),
            "the threshold was taken to be 0; it is an argument.",
        ),
        Mistake(
            lambda x, a, w, t: _all_windows(x, a, w, -1),
            "all windows of all sequences were counted: this is what the sequences hold, not what the filter "
            "looks for.",
        ),
        Mistake(
            lambda x, a, w, t: _activating_windows(x, a, w, t).T,
            "transposed: a row for each position of the filter and a column for each base is asked.",
        ),
        Mistake(
            _off_by_the_padding,
            "these windows start at the index of the activation. With padding, that index is the middle of "
            "the window: it starts width // 2 before.",
        ),
        Mistake(
            _weighted,
            "the windows were multiplied by their activations; a PFM counts each of them once.",
        ),
        Mistake(
            _probabilities,
            "these are probabilities, a PPM; the counts are asked.",
        ),
    ],
)
