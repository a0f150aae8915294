"""What each letter adds to the logit, compared with a reference, so that the values add up (lesson 07).

The *reference* is an input that stands for "nothing to see": a shuffle of the sequence, say. Values that add up to
the difference of the two logits are called *complete*. Both methods are captum's, and work on the copy of
the model that :mod:`course_utils.interpretation` describes; inputs are one-hot (N, 4, L).

* :func:`integrated_gradients`: along the way from the reference to the sequence.
* :func:`deep_lift`: through the layers, in one pass.
"""

import warnings
from dataclasses import dataclass

import torch
from torch import nn

from course_utils.checks import finite, said
from course_utils.interpretation import BATCH, LogitCopy, check_sequences
from course_utils.models import check_size

#: Pairs of sequence and reference whose steps are kept at a time.
BLOCK = 32

#: The largest completeness error of DeepLIFT, in units of the logit, that rounding can explain.
ROUNDING = 1e-6

#: A step of integrated gradients, as a share of the way, that is not halved any more: there the logit jumps.
NARROWEST = 2**-40


@dataclass(frozen=True, eq=False, repr=False)
class Attribution:
    """What each letter of N sequences adds to the logit, compared with a reference.

    Attributes:
        values: (N, 4, L), the mean over the references. A letter of the sequence and the letter that the
            reference has in its place both get a value; ``values.sum(dim=1)`` is what the change of the
            letter adds.
        difference: (N,), the logit of the sequence less the mean logit of its references.
        error: (N,), the completeness error: what the values add up to, less the difference.
    """

    values: torch.Tensor
    difference: torch.Tensor
    error: torch.Tensor

    def __repr__(self) -> str:
        count, _, length = self.values.shape
        return f"attribution of {count} x {length} bases, completeness error up to {self.error.abs().max():.1e}"


def integrated_gradients(
    model: nn.Module,
    inputs: torch.Tensor,
    references: torch.Tensor,
    *,
    steps: int = 50,
    tolerance: float | None = None,
) -> Attribution:
    """The gradient, averaged along the straight way from a reference to the sequence, times their difference.

    The values add up to the difference of the two logits, as far as the average over steps is the integral.
    Where a ReLU opens or another place becomes the maximum, the gradient jumps, and the error of equal steps
    falls no faster than one over their number. With a `tolerance`, the steps that do not add up are halved,
    again and again, until the values are complete to it: hundreds of steps for a small network, thousands for
    a deep one.

    The steps are captum's ``IntegratedGradients`` (Sundararajan et al., Axiomatic attribution for deep
    networks, ICML 2017).

    Args:
        model: (N, 4, L) -> logits, as :func:`course_utils.interpretation.logit_of` takes it.
        inputs: (N, 4, L), floating point.
        references: (N, 4, L), one for each sequence; (1, 4, L), one for all; or (N, R, 4, L), R for each,
            over which the values are averaged. Shuffled sequences, zeros, or 0.25 everywhere: each asks
            another question.
        steps: how many equal steps to begin with, the gradient taken in the middle of each.
        tolerance: of the completeness error, in units of the logit; None leaves the equal steps as they are.
            It is not reached where the logit itself jumps.

    Returns:
        Attribution, on the CPU.

    Raises:
        ValueError: as :func:`course_utils.interpretation.logit_of`; for references of another shape, or that hold NaN or infinity; for
            steps that are no whole number from 1 up, or a tolerance that is not above 0 (lesson 07).
    """
    number = check_size("number of steps", steps, 1)
    allowed = finite(tolerance)
    if tolerance is not None and (allowed is None or allowed <= 0):
        raise ValueError(
            f"the tolerance is {said(tolerance)}; a number above 0 is expected, or None for equal steps"
        )
    starts, ends, many = _pairs(inputs, references)
    logit = LogitCopy(model)
    from captum.attr import IntegratedGradients  # brings matplotlib: only who asks for it pays

    method = IntegratedGradients(logit)

    def step(pair: torch.Tensor, low: torch.Tensor, high: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Of a step of a pair's way, from share `low` to `high`: values (B, 4, L), completeness error (B,)."""
        first, way = starts[pair], ends[pair] - starts[pair]
        return method.attribute(
            first + high[:, None, None] * way, first + low[:, None, None] * way, target=0, n_steps=1,
            method="gausslegendre", return_convergence_delta=True,
        )  # fmt: skip (with one step, Gauss and Legendre take the middle)

    values = torch.zeros_like(starts)
    rounding = 1e-13 * (1 + torch.maximum(logit.values(starts).abs(), logit.values(ends).abs()).max())
    spent = torch.zeros(len(starts), dtype=torch.float64)  # error of the steps that were taken as they are
    shares = torch.linspace(0, 1, number + 1, dtype=torch.float64)
    for block in torch.arange(len(starts)).split(BLOCK):
        pair = block.repeat_interleave(number)
        low, high = shares[:-1].repeat(len(block)), shares[1:].repeat(len(block))
        while len(pair):
            found = [step(*batch) for batch in zip(pair.split(BATCH), low.split(BATCH), high.split(BATCH))]
            errors = torch.cat([error for _, error in found]).abs()
            good = _good_enough(errors, pair, spent, allowed) | (errors <= rounding) | (high - low < NARROWEST)
            values.index_add_(0, pair[good], torch.cat([value for value, _ in found])[good])
            spent.index_add_(0, pair[good], errors[good])
            pair, low, high = pair[~good], low[~good], high[~good]
            middle = (low + high) / 2
            pair, low, high = torch.cat([pair, pair]), torch.cat([low, middle]), torch.cat([middle, high])
    return _attribution(logit, values, starts, ends, many)


def _good_enough(errors, pair, spent, tolerance: float | None) -> torch.Tensor:
    """Which steps need not be halved, so that the errors of no pair add up to more than the tolerance."""
    if tolerance is None:
        return torch.ones_like(errors, dtype=torch.bool)
    left = tolerance - spent  # (pairs,)
    waiting = torch.zeros_like(spent).index_add_(0, pair, errors)
    # The smallest of each pair's errors are let pass, as many as take an eighth of what is left: the more of
    # it they take, the further the others must be halved.
    order = torch.argsort(errors)
    order = order[torch.argsort(pair[order], stable=True)]  # pair by pair, the smallest first
    so_far = torch.empty_like(errors)
    so_far[order] = errors[order].cumsum(0) - (waiting.cumsum(0) - waiting)[pair[order]]
    return (so_far <= left[pair] / 8) | (waiting <= left)[pair]


def deep_lift(model: nn.Module, inputs: torch.Tensor, references: torch.Tensor) -> Attribution:
    """DeepLIFT: how much of the change of the logit each letter carries through the layers, in one pass.

    Each ReLU passes on the change of its output over the change of its input, in place of a gradient, and
    each max-pool gives the change to the place that was or is the maximum, so that the values add up to the
    difference of the logits exactly. captum's ``DeepLift`` (Shrikumar et al., Learning important features
    through propagating activation differences, ICML 2017; the rescale rule).

    captum 0.9 is not complete for a pool that follows a ReLU directly (it hands the ReLU the pool's gradient
    in place of the pool's rule), and has no rule for a pool of the whole length. Both are mended here, in the
    copy.

    Args:
        model: (N, 4, L) -> logits, as :func:`course_utils.interpretation.logit_of` takes it. Only layers that are modules get a rule, and
            each module may be used once: ReLU, ELU, LeakyReLU, Sigmoid, Tanh, Softplus, MaxPool1d,
            AdaptiveMaxPool1d.
        inputs, references: as for :func:`integrated_gradients`.

    Returns:
        Attribution, on the CPU.

    Raises:
        ValueError: as :func:`course_utils.interpretation.logit_of`; for references of another shape, or that hold NaN or infinity; for a
            model with something in it that captum has no rule for, shown by values that do not add up (lesson
            07).
    """
    starts, ends, many = _pairs(inputs, references)
    logit = LogitCopy(model)
    logit.values(starts[:1])  # an output of another shape is told before captum stumbles over it
    from captum.attr import DeepLift  # brings matplotlib: only who asks for it pays
    from captum.attr._core.deep_lift import SUPPORTED_NON_LINEAR

    _pools_of_known_width(logit, starts[:1])
    for module in logit.modules():
        if type(module) in SUPPORTED_NON_LINEAR:  # its input must be no other module's output, see above
            module.register_forward_pre_hook(lambda module, given: given[0].clone())
    method, values = DeepLift(logit), []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # captum announces its hooks, which vanish with the copy
        try:
            for start, end in zip(starts.split(BATCH), ends.split(BATCH)):
                values.append(method.attribute(end.clone(), start, target=0).detach())
        except RuntimeError as error:
            if "more than once" not in str(error):
                raise
            raise ValueError(
                "DeepLIFT cannot be computed: the model uses one of its ReLU or pooling modules more than once; give "
                "each use a module of its own, or use integrated gradients"
            ) from None
    found = _attribution(logit, torch.cat(values), starts, ends, many)
    allowed = ROUNDING * (1 + found.difference.abs().max())
    if found.error.abs().max() > allowed:
        raise ValueError(
            f"the values of DeepLIFT do not add up (completeness error {found.error.abs().max():.2g}): something "
            "in the model is no module, or one that captum has no rule for; use integrated gradients"
        )
    return found


def _pools_of_known_width(model: nn.Module, inputs: torch.Tensor) -> None:
    """Put MaxPool1d, for which captum has a rule, in place of AdaptiveMaxPool1d, where the lengths divide."""
    lengths = {}
    pools = [module for module in model.modules() if isinstance(module, nn.AdaptiveMaxPool1d)]
    handles = [
        pool.register_forward_pre_hook(lambda pool, given: lengths.update({pool: given[0].shape[-1]}))
        for pool in pools
    ]
    with torch.no_grad():
        model(inputs)
    for handle in handles:
        handle.remove()
    for parent in list(model.modules()):
        for name, pool in list(parent.named_children()):
            if pool in lengths and not pool.return_indices:
                size = pool.output_size if isinstance(pool.output_size, int) else pool.output_size[0]
                if lengths[pool] % size == 0:
                    setattr(parent, name, nn.MaxPool1d(lengths[pool] // size))


def _pairs(inputs: torch.Tensor, references: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, int]:
    """References and inputs, paired, (N x R, 4, L) each, float64 on the CPU; and R."""
    check_sequences(inputs)
    shape, came = tuple(inputs.shape), tuple(getattr(references, "shape", ()))
    count, _, length = shape
    one_each = came in (shape, (1, 4, length))
    if not isinstance(references, torch.Tensor) or not (one_each or _several(came, shape)):
        raise ValueError(
            f"the references have the shape {came or said(references)}; {shape} is expected, one for each "
            f"sequence, (1, 4, {length}), one for all, or ({count}, R, 4, {length}), R for each"
        )
    if not torch.isfinite(references).all():
        raise ValueError("the references hold NaN or infinity; finite numbers are expected")
    starts = references.detach().cpu().double()
    starts = starts.expand(shape) if one_each else starts
    many = 1 if one_each else came[1]
    ends = inputs.detach().cpu().double().repeat_interleave(many, dim=0)
    return starts.reshape(ends.shape).clone(), ends, many


def _several(came: tuple[int, ...], shape: tuple[int, ...]) -> bool:
    return len(came) == 4 and came[0] == shape[0] and came[1] > 0 and came[2:] == shape[1:]


def _attribution(logit: LogitCopy, values, starts, ends, many: int) -> Attribution:
    """The mean over the `many` references of each sequence, and the check of it."""
    values = values.view(-1, many, *values.shape[1:]).mean(dim=1)  # (N, 4, L)
    difference = (logit.values(ends) - logit.values(starts)).view(-1, many).mean(dim=1)  # (N,)
    error = values.sum(dim=(1, 2)) - difference
    return Attribution(values.float(), difference.float(), error.float())
