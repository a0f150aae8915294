"""Losses that torch does not have in the form we need.

Explained in lesson 10.
"""

import torch


def log_poisson(log_rates: torch.Tensor, counts: torch.Tensor) -> torch.Tensor:
    """The mean Poisson deviance of counts, halved, from the natural log of the expected counts.

    With s the log of the rate and t the count, it is the mean of ``exp(s) - t s``, the negative logarithm of
    Poisson's probability without what holds no s, minus the mean of ``t - t log t``, which is the least
    that the first can be. So 0 is the value where each rate is its count, and nothing is below it. The
    second part does not depend on the network and changes no gradient; 0 log 0 is 0.

    Args:
        log_rates: the outputs of a network, of any shape, such as ``(N, bins, T)``; any real numbers. Their
            exponential has no upper limit: above 88.7 it is infinite in float32.
        counts: of the same shape, floating point, from 0 up; they need not be whole numbers.

    Raises:
        ValueError: for shapes that differ (nothing is broadcast) or hold nothing, for whole-number types,
            and for a count that is negative, NaN or infinite, with its position.

    Speed: wrong counts are looked for only if the second part is not finite, so that a step in a training
    pays nothing for the check. Source: the loss of Kelley et al., Genome Research 28, 739 (2018)
    (lesson 10).
    """
    if log_rates.shape != counts.shape or not counts.numel():
        raise ValueError(
            f"the log rates have the shape {tuple(log_rates.shape)}, the counts {tuple(counts.shape)}; one and the "
            "same is expected, with at least one number"
        )
    for what, tensor in (("log rates", log_rates), ("counts", counts)):
        if not tensor.is_floating_point():
            kind = str(tensor.dtype).removeprefix("torch.")
            raise ValueError(f"the {what} are {kind}; floating point is expected: call float() on them")
    counts = counts.to(log_rates.dtype)
    least = (counts - torch.xlogy(counts, counts)).mean()
    if not least.isfinite():
        _check_counts(counts)
    return (log_rates.exp() - counts * log_rates).mean() - least


def _check_counts(counts: torch.Tensor) -> None:
    wrong = ~((counts >= 0) & counts.isfinite())
    if wrong.any():
        where = wrong.nonzero()[0].tolist()
        raise ValueError(
            f"counts{where} is {counts[tuple(where)].item():g}; a finite number from 0 up is expected"
            if where
            else f"the count is {counts.item():g}; a finite number from 0 up is expected"
        )
