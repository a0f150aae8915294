"""What a training needs before it starts, or one sentence that says what does not fit.

Used by :mod:`course_utils.training`, which explains the terms.
"""

import hashlib
import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from numbers import Real

import torch
from torch import nn
from torch.nn import functional
from torch.utils.data import DataLoader, Dataset, Subset, TensorDataset

from course_utils.batches import batch_of
from course_utils.checks import whole
from course_utils.losses import log_poisson
from course_utils.processes import Processes

Loss = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]


class TrainingError(ValueError):
    """Data, labels or numbers with which a training cannot go on."""


# --- modes ---------------------------------------------------------------------------------------


@contextmanager
def eval_mode(model: nn.Module) -> Iterator[None]:
    """Dropout off, batch statistics fixed and no gradients inside the block."""
    training = model.training
    model.eval()
    try:
        with torch.no_grad():
            yield
    finally:
        model.train(training)


def device_of(model: nn.Module) -> torch.device:
    return next((parameter.device for parameter in model.parameters()), torch.device("cpu"))


# --- checks --------------------------------------------------------------------------------------


def kind_of_labels(labels: torch.Tensor, loss: Loss) -> str:
    """``"classes"``, ``"yes or no"`` (a logit each) or ``"values"``, from the loss or else from the labels."""
    if isinstance(loss, (nn.CrossEntropyLoss, nn.NLLLoss)):
        return "classes"
    if loss in (functional.cross_entropy, functional.nll_loss):
        return "classes"
    if isinstance(loss, nn.BCEWithLogitsLoss) or loss == functional.binary_cross_entropy_with_logits:
        return "yes or no"
    if loss == log_poisson:
        return "values"
    return "values" if labels.is_floating_point() else "classes"


def check_counts(**numbers) -> None:
    """Each of them, called by its name, is a whole number from 1 up."""
    for what, number in numbers.items():
        if not isinstance(number, int) or number < 1:
            raise TrainingError(f"{what} is {number!r}; a whole number from 1 up is expected")


def check_settings(epochs, batch_size, generator, patience, valid, checkpoint, checkpoint_steps, resume) -> None:
    optional = {"patience": patience, "checkpoint_steps": checkpoint_steps}
    check_counts(epochs=epochs, batch_size=batch_size)
    check_counts(**{what: number for what, number in optional.items() if number is not None})
    if not isinstance(generator, torch.Generator):
        raise TrainingError(
            f"generator is {str(generator)[:40]!r}, of type {type(generator).__name__}; torch's generator is "
            "expected, such as torch.Generator().manual_seed(1)"
        )
    if patience is not None and valid is None:
        raise TrainingError("patience watches the validation loss, and there are no validation data")
    if checkpoint is None and (resume or checkpoint_steps):
        raise TrainingError("resume and checkpoint_steps need a folder: checkpoint=...")


def check_recipe(schedule, clip, augment, precision, workers) -> None:
    """The recipe is what it should be, as far as can be seen beforehand."""
    for what, function, example in (
        ("schedule", schedule, "cosine(steps) of course_utils.schedules"),
        ("augment", augment, "Augmentation(max_shift=3) of course_utils.augmentation"),
    ):
        if function is not None and not callable(function):
            raise TrainingError(
                f"{what} is {str(function)[:40]!r}, of type {type(function).__name__}; a function is expected, "
                f"such as {example}"
            )
    if clip is not None and not (_is_number(clip) and 0 < clip < math.inf):
        raise TrainingError(f"clip is {clip!r}; a number above 0 is expected, the largest norm of the gradient")
    if schedule is not None:
        rate_factor(schedule, 0)
    if precision not in ("float32", "bfloat16"):
        raise TrainingError(f"the precision is {str(precision)[:40]!r}; float32 or bfloat16 is expected")
    if whole(workers) is None or workers < 0:
        raise TrainingError(f"workers is {workers!r}; a whole number from 0 up is expected, of threads that read ahead")


def check_processes(
    processes: Processes, model: nn.Module, loss: Loss, generator: torch.Generator, sizes: list[int], settings: dict
) -> None:
    """Several processes begin alike, or they would wait for each other for ever; and they can do what one would."""
    if processes.size == 1:
        return
    if sizes[2] < processes.size:
        raise TrainingError(
            f"batch_size is {sizes[2]}, and {processes.size} processes share each batch; at least one example "
            "for each is expected"
        )
    for name, layer in model.named_modules():
        if isinstance(layer, nn.modules.batchnorm._BatchNorm):
            raise TrainingError(
                f"{name} is a {type(layer).__name__}, whose statistics would be those of a process's share of the batch; "
                "with several processes, layers without statistics of a batch are expected"
            )
    if getattr(loss, "weight", None) is not None:
        raise TrainingError(
            "the loss has a weight for each class: its mean over a share is not that of the batch; with several "
            "processes, a plain mean over examples is expected"
        )
    parts = {"sizes of the data and batches": sizes, "random numbers": generator.get_state().tolist(), **settings}
    digests = [list(hashlib.sha256(repr(part).encode()).digest()[:8]) for part in parts.values()]
    everyone = processes.gathered(torch.tensor(digests))
    for rank, theirs in enumerate(everyone):
        for number, name in enumerate(parts):
            if not torch.equal(theirs[number], everyone[0][number]):
                raise TrainingError(
                    f"{name}: process {rank} has another one than process 0; in every process, fit is "
                    "expected to be called with the same arguments and a generator of the same seed"
                )


def rate_factor(schedule: Callable[[int], float], step: int) -> float:
    """What the schedule gives for a step, or an error unless learning rates can be multiplied by it."""
    factor = schedule(step)
    if not (_is_number(factor) and 0 <= factor < math.inf):
        raise TrainingError(
            f"the schedule gives {str(factor)[:40]} for step {step}, counted from 0; a finite number from 0 up is "
            "expected, by which the learning rate is multiplied"
        )
    return float(factor)


def _is_number(value) -> bool:
    return isinstance(value, Real) and not isinstance(value, bool)


def augmented(augment: Callable, inputs: torch.Tensor, labels: torch.Tensor, generator: torch.Generator) -> tuple:
    """The batch after its augmentation, or an error unless it is a pair of the shapes that came."""
    pair = augment(inputs, labels, generator)
    if not isinstance(pair, (tuple, list)) or not [*map(torch.is_tensor, pair)] == [True, True]:
        raise TrainingError(
            f"augment gives a {type(pair).__name__}; a pair of tensors is expected, the inputs and labels of the batch"
        )
    for what, now, then in zip(("inputs", "labels"), pair, (inputs, labels)):
        if now.shape != then.shape:
            raise TrainingError(
                f"augment turns {what} of the shape {tuple(then.shape)} into {tuple(now.shape)}; the same shape "
                "is expected"
            )
    return pair


def check_optimizer(optimizer: torch.optim.Optimizer, model: nn.Module) -> None:
    """A model made anew in a notebook, with the optimizer of the old one, would learn nothing."""
    known = {id(parameter) for parameter in model.parameters()}
    if not all(id(p) in known for group in optimizer.param_groups for p in group["params"]):
        raise TrainingError(
            "the optimizer holds parameters of another model: make it after the model, from model.parameters()"
        )


def checked_data(data: Dataset, name: str, model: nn.Module, loss: Loss) -> Dataset:
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
    inputs, labels = batch_of(data, torch.arange(min(2, len(data))), device_of(model))
    with eval_mode(model):
        outputs = model(inputs)
    all_labels = data.tensors[1] if isinstance(data, TensorDataset) else None
    _check_labels(labels if all_labels is None else all_labels, outputs, name, loss)
    if name == "training" and all_labels is not None and kind_of_labels(labels, loss) != "values":
        if len(data) > 1 and all_labels.min() == all_labels.max():
            raise TrainingError(
                f"all {len(data)} training labels are {all_labels.flatten()[0]:g}: from one class alone there "
                "is nothing to tell apart; were the data sorted and then cut?"
            )
    return data


def _check_labels(labels: torch.Tensor, outputs: torch.Tensor, name: str, loss: Loss) -> None:
    many, kind = len(labels), kind_of_labels(labels, loss)
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


# --- a loss or a gradient that is no number --------------------------------------------------------


def why_not_finite(run, index, inputs, labels, outputs) -> str:
    """One sentence about a loss that is NaN or infinite: the step, and what was wrong before it."""
    step = len(run.history.batch_loss)
    where = f"the loss is {run.history.batch_loss[-1]} at {_place(run)}"
    for what, tensor in (("input", inputs), ("label", labels)):
        odd = ~tensor.isfinite().flatten(1).all(dim=1) if tensor.dim() > 1 else ~tensor.isfinite()
        if odd.any():
            return f"{where}: the {what} of training example {index[odd.cpu()][0]} is NaN or infinite"
    rate = _rate(run)
    if not all(parameter.isfinite().all() for parameter in run.model.parameters()):
        return f"{where}: the weights are not finite, " + ("nor were they at the start" if step == 1 else rate)
    if not outputs.isfinite().all():
        return f"{where}: inputs and weights are finite, the model's outputs are not; {rate}"
    if not outputs.max().exp().isfinite():
        cause = "the weights are too large from the start" if step == 1 else rate
        return f"{where}: the model's outputs reach {outputs.max().item():.3g}, whose exponential is infinite; {cause}"
    return (
        f"{where}: the model's outputs are finite, so the loss took the log of 0 or divided by 0; "
        "use a loss that takes logits"
    )


def why_no_gradient(run) -> str:
    """One sentence about a gradient whose norm is NaN or infinite though the loss is a number."""
    said = f"the norm of the gradient is {run.history.gradient_norm[-1]} at {_place(run)}"
    said += f", with a loss of {run.history.batch_loss[-1]:.3g}"
    if len(run.history.batch_loss) == 1:
        return f"{said}: the loss has no slope there (the root or the log of 0), or the weights are too large"
    return f"{said}: the loss has no slope there (the root or the log of 0), or {_rate(run)}"


def _place(run) -> str:
    return f"step {len(run.history.batch_loss)} (epoch {run.history.epochs + 1})"


def _rate(run) -> str:
    return f"a learning rate of {run.optimizer.param_groups[0]['lr']:g} is probably too high"
