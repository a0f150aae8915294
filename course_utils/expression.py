"""A simulated table of gene expression whose hidden factors are known, and how well found ones agree with them.

A table is ``(samples, genes)``. Two *factors* of each sample, such as how far a cell has come along two processes, decide
what its genes do; noise is added. Explained in lesson 08.

    Hotelling, Relations between two sets of variates, Biometrika 28, 321-377 (1936): canonical correlations
    Bjorck and Golub, Mathematics of Computation 27, 579-594 (1973): how to compute them
"""

from typing import NamedTuple

import numpy as np

from course_utils.checks import finite, said, whole

KINDS = ("linear", "curved")
WIDTH = 0.5  # of a gene's bell, in units of the factors, which go from -1 to 1


class ExpressionError(ValueError):
    """A table, or a choice about one, that cannot be."""


class Expression(NamedTuple):
    """A simulated table, and the truth about it.

    Attributes:
        table: ``(samples, genes)``, with noise: what is measured.
        clean: the same without noise.
        factors: ``(samples, factors)``, from -1 to 1.
    """

    table: np.ndarray
    clean: np.ndarray
    factors: np.ndarray


def simulate_expression(
    samples: int = 1000,
    *,
    genes: int = 60,
    factors: int = 2,
    kind: str = "linear",
    noise: float = 0.3,
    rng: np.random.Generator,
) -> Expression:
    """A table from hidden factors, each sample's drawn evenly from -1 to 1.

    Args:
        samples, genes, factors: how many.
        kind: ``"linear"``: each gene is a weighted sum of the factors, with normal weights. ``"curved"``: each gene has
            a place among the factors where it is fully on, at 2, and fades with the distance from it, as a bell does.
        noise: standard deviation of what is added to each number.
        rng: numpy's generator of random numbers.

    Raises:
        ExpressionError: for choices that cannot be (lesson 08).
    """
    for what, value in (("samples", samples), ("genes", genes), ("factors", factors)):
        if whole(value) is None or value < 1:
            raise ExpressionError(f"the number of {what} is {value!r}; a whole number from 1 up is expected")
    if kind not in KINDS:
        raise ExpressionError(f"the kind is {kind!r}; one of {', '.join(map(repr, KINDS))} is expected")
    if finite(noise) is None or noise < 0:
        raise ExpressionError(f"the noise is {said(noise)}; a number from 0 up is expected")
    if not isinstance(rng, np.random.Generator):
        raise ExpressionError(f"rng is a {type(rng).__name__}; numpy.random.default_rng(seed) makes what is expected")
    hidden = rng.uniform(-1, 1, (samples, factors))
    if kind == "linear":
        clean = hidden @ rng.normal(size=(factors, genes))  # (samples, genes)
    else:
        places = rng.uniform(-1.2, 1.2, (genes, factors))
        distance2 = ((hidden[:, None] - places) ** 2).sum(axis=2)  # (samples, genes)
        clean = 2 * np.exp(-distance2 / (2 * WIDTH**2))
    return Expression(clean + noise * rng.normal(size=clean.shape), clean, hidden)


def canonical_correlations(found: np.ndarray, true: np.ndarray) -> np.ndarray:
    """How well two sets of columns agree, whichever way each is turned, stretched or mixed: from the best down.

    The first is the largest correlation that a weighted sum of the columns of one has with one of the other; the next
    is the largest among sums without a correlation with the first; and so on, as many as the smaller set has columns.
    The columns, less their means, become perpendicular (QR); the correlations are singular values of what they share.

    Args:
        found, true: ``(samples, columns)`` each, the same samples in the same order.

    Raises:
        ExpressionError: for unequal lengths, no table, too few samples, NaN, or a column that others make up (lesson 08).
    """
    bases = []
    tables = {"found": found, "true": true}
    for name, given in tables.items():
        try:
            table = np.asarray(given, dtype=float)
        except (TypeError, ValueError):
            raise ExpressionError(f"the {name} columns hold something other than numbers") from None
        if table.ndim != 2 or not table.shape[1]:
            raise ExpressionError(f"the {name} columns have the shape {table.shape}; (samples, columns) is expected")
        odd = np.argwhere(~np.isfinite(table))
        if len(odd):
            i, j = odd[0].tolist()
            raise ExpressionError(f"the {name} columns at ({i}, {j}) are {table[i, j]:g}; finite numbers are expected")
        tables[name] = table
    rows = {name: len(table) for name, table in tables.items()}
    if rows["found"] != rows["true"]:
        raise ExpressionError(
            f"there are {rows['found']} samples of the found columns and {rows['true']} of the true ones; the same are expected"
        )
    for name, table in tables.items():
        if len(table) <= table.shape[1]:
            raise ExpressionError(f"{len(table)} samples came for {table.shape[1]} columns; more are expected")
        centred = table - table.mean(axis=0)
        if np.linalg.matrix_rank(centred) < table.shape[1]:
            raise ExpressionError(
                f"of the {table.shape[1]} {name} columns one is constant or made up of the others; each is expected to "
                "say something of its own"
            )
        bases.append(np.linalg.qr(centred)[0])  # (samples, columns), perpendicular, of length 1
    return np.clip(np.linalg.svd(bases[0].T @ bases[1], compute_uv=False), 0, 1)


def reconstruction_floor(noise: float, genes: int, latent: int) -> float:
    """The mean squared error at which the truth itself, `latent` numbers a sample, would write a noisy linear table
    down again: ``noise ** 2 * (1 - latent / genes)``, exact.

    Nothing foretells noise; but a code is computed from the noisy row, and so it fits `latent` of the noise's `genes`
    dimensions along with it. For a curved table it is what holds in the limit of little noise.

    Raises:
        ExpressionError: for numbers that cannot be (lesson 08).
    """
    if finite(noise) is None or noise < 0:
        raise ExpressionError(f"the noise is {said(noise)}; a number from 0 up is expected")
    if whole(genes) is None or genes < 1:
        raise ExpressionError(f"the number of genes is {genes!r}; a whole number from 1 up is expected")
    if whole(latent) is None or not 0 <= latent <= genes:
        raise ExpressionError(f"the number of latent numbers is {latent!r}; from 0 to {genes}, the genes, is expected")
    return noise**2 * (1 - latent / genes)
