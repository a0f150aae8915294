"""What a trained network looks at: reach (lesson 09), and which letters a prediction rests on (lesson 07).

Inputs are one-hot (N, 4, L), as the networks take them. What is explained is one number for each sequence,
the *logit* (:func:`logit_of`). It is explained by a copy of the model on the CPU, without dropout and in float64,
where what should be zero is not blurred by rounding; the model, its mode and its gradients stay as they were.

* By gradient, one pass: :func:`saliency`, :func:`input_x_gradient`.
* By trying, a pass for each letter that could stand there: :func:`mutagenesis`.
* With a reference, so that the values add up: :mod:`course_utils.attribution`.
"""

import copy

import numpy as np
import torch
from torch import nn

from course_utils.checks import said, whole
from course_utils.models import check_input, check_size

#: Sequences that go through the network at a time, where nobody chooses: what bounds the memory.
BATCH = 256

# --- the number that is explained ----------------------------------------------------------------


def logit_of(model: nn.Module, inputs: torch.Tensor) -> torch.Tensor:
    """The one number of each sequence that the methods below explain: the log-odds of class 1.

    It is the output itself where a network has one, and the logit of class 1 less that of class 0 where it has
    two: their softmax is the sigmoid of that difference. Dropout is off; the model keeps its mode.

    Args:
        model: (N, 4, L) -> (N,), (N, 1) or (N, 2), logits.
        inputs: (N, 4, L), floating point, on any device; they go to the model's, and take the type of its
            weights. Where they require gradients, the answer carries them.

    Returns:
        (N,) on the CPU.

    Raises:
        ValueError: for inputs that no network of the lessons takes, that hold NaN or infinity, or none at
            all; for a model with another output, or logits that are NaN or infinite (lesson 07).
    """
    check_sequences(inputs)
    modes = [(module, module.training) for module in model.modules()]
    weight = next(model.parameters(), inputs)
    try:
        model.eval()
        with torch.set_grad_enabled(inputs.requires_grad and torch.is_grad_enabled()):
            return _one_number(model(inputs.to(weight)), len(inputs)).cpu()
    finally:
        for module, mode in modes:
            module.training = mode


class LogitCopy(nn.Module):
    """A copy of the model with one output (N, 1), in float64 on the CPU, without dropout.

    Args:
        model: (N, 4, L) -> logits, as :func:`logit_of` takes it (lesson 07).
    """

    def __init__(self, model: nn.Module):
        super().__init__()
        self.model = copy.deepcopy(model).cpu().double().eval()
        self.requires_grad_(False)  # of the weights: the inputs' gradients alone are wanted

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        return _one_number(self.model(inputs), len(inputs)).unsqueeze(1)

    def values(self, inputs: torch.Tensor) -> torch.Tensor:
        """(N,), float64, without gradients."""
        with torch.no_grad():
            return torch.cat([self(batch).squeeze(1) for batch in inputs.split(BATCH)])


def _one_number(outputs: torch.Tensor, count: int) -> torch.Tensor:
    shape = tuple(outputs.shape) if isinstance(outputs, torch.Tensor) else f"of {type(outputs).__name__}"
    if shape not in ((count,), (count, 1), (count, 2)):
        raise ValueError(
            f"the model's output has the shape {shape} for {count} sequences; one logit each is expected, "
            f"({count},) or ({count}, 1), or those of two classes, ({count}, 2)"
        )
    if not torch.isfinite(outputs).all():
        raise ValueError("the model's logits hold NaN or infinity: too high a learning rate may have spoilt it")
    if shape == (count, 2):
        return outputs[:, 1] - outputs[:, 0]
    return outputs.reshape(count)


# --- by gradient, and by trying ------------------------------------------------------------------


def saliency(model: nn.Module, inputs: torch.Tensor, *, centred: bool = False) -> torch.Tensor:
    """The gradient of the logit with respect to the input: how steeply it rises if a channel goes up a little.

    DNA has one letter at each place, so that the four channels always sum to 1. What a network does away from
    such inputs is left to chance, and puts the same random number on all four channels of a place. `centred`
    takes it away, with the mean over the four (Majdandzic et al., Genome Biology 24, 109, 2023).

    Args:
        model: (N, 4, L) -> logits, as :func:`logit_of` takes it.
        inputs: (N, 4, L), floating point.
        centred: whether the mean over A, C, G, T is taken away at each position.

    Returns:
        (N, 4, L), float32, on the CPU; in units of the logit.

    Raises:
        ValueError: as :func:`logit_of` (lesson 07).
    """
    check_sequences(inputs)
    logit = LogitCopy(model)
    gradients = []
    with torch.enable_grad():
        for batch in inputs.detach().cpu().double().split(BATCH):
            batch.requires_grad_()
            [gradient] = torch.autograd.grad(logit(batch).sum(), batch, materialize_grads=True)  # (B, 4, L)
            gradients.append(gradient)
    gradient = torch.cat(gradients)
    if centred:
        gradient = gradient - gradient.mean(dim=1, keepdim=True)
    return gradient.float()


def input_x_gradient(model: nn.Module, inputs: torch.Tensor, *, centred: bool = False) -> torch.Tensor:
    """The input times the gradient: of the four numbers of a place, that of the letter which is there.

    Args:
        model, inputs, centred: as for :func:`saliency`; the mean is taken away before the input is
            multiplied.

    Returns:
        (N, 4, L), float32, on the CPU; in units of the logit.

    Raises:
        ValueError: as :func:`logit_of` (lesson 07).
    """
    return saliency(model, inputs, centred=centred) * inputs.detach().cpu().float()


def mutagenesis(model: nn.Module, inputs: torch.Tensor, *, batch_size: int = 1024) -> torch.Tensor:
    """What would happen to the logit if another letter stood there, for each letter of each place.

    Args:
        model: (N, 4, L) -> logits, as :func:`logit_of` takes it.
        inputs: (N, 4, L), floating point. A column of four zeros, an N, has no letter of its own: all four
            are put there, and compared with the N. So they are with a column of shares, such as four times
            0.25.
        batch_size: mutants that go through the network at a time; it bounds the memory, and changes nothing
            else.

    Returns:
        (N, 4, L), float32, on the CPU: the logit with that base at that position less the logit of the
        sequence. It is 0 for the letter that is there.

    Raises:
        ValueError: as :func:`logit_of`; for a batch size that is no whole number from 1 up (lesson 07).
    """
    check_sequences(inputs)
    size = check_size("batch size", batch_size, 1)
    logit = LogitCopy(model)
    inputs = inputs.detach().cpu()
    _, _, length = inputs.shape
    bases = torch.eye(4, dtype=torch.float64)
    there = [(inputs == base[:, None]).all(dim=1) for base in bases.to(inputs.dtype)]  # of each base, (N, L)
    effects = torch.zeros(inputs.numel(), dtype=torch.float32)  # of (N, 4, L), laid out flat
    with torch.no_grad():
        before = torch.cat([logit(batch.double()).squeeze(1) for batch in inputs.split(size)])  # (N,)
        mutants_of_all = (~torch.stack(there, dim=1)).flatten().nonzero().squeeze(1)  # numbers of (N, 4, L)
        for mutants in mutants_of_all.split(size):
            sequence, base, position = mutants // (4 * length), mutants // length % 4, mutants % length
            changed = inputs[sequence].double()  # (B, 4, L)
            changed[torch.arange(len(mutants)), :, position] = bases[base]
            effects[mutants] = (logit(changed).squeeze(1) - before[sequence]).float()
    return effects.view(inputs.shape)


# --- what the network depends on at all ----------------------------------------------------------


def seen_by(model: nn.Module, inputs: torch.Tensor, bin: int) -> np.ndarray:
    """Which positions of the input the outputs of one bin depend on, by their gradient.

    A position is seen if the gradient of ``model(inputs)[:, bin].sum()`` is not exactly zero there, for any of
    the sequences and channels. It is computed by a copy of the model, without dropout and in float64, where
    small gradients do not vanish by rounding; the model itself and its gradients stay as they are.

    Args:
        model: (N, 4, L) -> (N, bins) or (N, bins, targets).
        inputs: (N, 4, L), floating point; random ones show more than zeros, which may close gates.
        bin: its number; from the end if it is negative.

    Returns:
        (L,) bool.

    Raises:
        ValueError: for inputs that no network of the lessons takes, that hold NaN or infinity, or none at all; for
            a model whose output has no bins, or a bin that is no whole number or that the output does not have
            (lesson 09).
    """
    check_sequences(inputs)
    number = whole(bin)
    if number is None:
        raise ValueError(f"the bin is {said(bin)}; a whole number is expected, the number of the bin")
    model = copy.deepcopy(model).cpu().double().eval()
    inputs = inputs.detach().cpu().double().requires_grad_()  # (N, 4, L)
    with torch.enable_grad():
        outputs = model(inputs)  # (N, bins, targets)
        if outputs.dim() < 2:
            raise ValueError(f"the model's output has the shape {tuple(outputs.shape)}; (N, bins, ...) is expected")
        bins = outputs.shape[1]
        if not -bins <= number < bins:
            raise ValueError(f"there is no bin {number}: the output's bins are numbered 0 to {bins - 1:,}")
        [gradient] = torch.autograd.grad(outputs[:, number].sum(), inputs, materialize_grads=True)  # (N, 4, L)
    return (gradient != 0).any(dim=(0, 1)).numpy()  # (L,)


def check_sequences(inputs: torch.Tensor) -> None:
    """Say so if inputs cannot be explained.

    Raises:
        ValueError: for inputs that no network of the lessons takes, that hold NaN or infinity, or none at all
            (lesson 07).
    """
    check_input(inputs)
    if not inputs.numel():
        raise ValueError(f"the input has the shape {tuple(inputs.shape)}: there is nothing to explain")
    if not torch.isfinite(inputs).all():
        raise ValueError("the input holds NaN or infinity; finite numbers are expected")
