"""The exercise of lesson 07 that names a filter: the motif it fits best, where, and on which strand."""

from collections.abc import Callable

import numpy as np

from course_utils.exercises import Exercise, Mistake


def _correlation(first: np.ndarray, second: np.ndarray) -> float:
    """Pearson's r of two rows of four numbers."""
    mean_first, mean_second = sum(first) / 4, sum(second) / 4
    pairs = [(a - mean_first, b - mean_second) for a, b in zip(first, second)]
    squares = sum(a * a for a, _ in pairs) * sum(b * b for _, b in pairs)
    return sum(a * b for a, b in pairs) / squares**0.5


def _filter_match(ppm: np.ndarray, motifs: dict[str, np.ndarray]) -> tuple[str, str, int]:
    best, largest = ("", "+", 0), -2.0
    for name, motif in motifs.items():
        for strand, read in (("+", motif), ("-", motif[::-1, ::-1])):
            for start in range(len(read) - len(ppm) + 1):
                total = 0.0
                for row in range(len(ppm)):
                    total += _correlation(ppm[row], read[start + row])
                if total > largest:
                    best, largest = (name, strand, start), total
    return best


# --- the cases -----------------------------------------------------------------------------------


def _rows(rng: np.random.Generator, width: int, sharpness: float = 0.35) -> np.ndarray:
    """Probabilities ``(width, 4)``, none of them 0, and no row or column the same throughout."""
    while True:
        ppm = 0.96 * rng.dirichlet(np.full(4, sharpness), width) + 0.01
        if (np.ptp(ppm, axis=1) > 0.2).all():
            return ppm


def _blurred(ppm: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """The same with noise, as counts of a few dozen windows have it."""
    noisy = 0.9 * ppm + 0.1 * rng.dirichlet(np.ones(4), len(ppm))
    return noisy / noisy.sum(axis=1, keepdims=True)


def _match_cases(rng):
    """A filter cut from a motif, on either strand, at its start, middle or end; then traps, one at a time."""
    cases = []
    plans = [("+", 0, 3), ("+", 2, 4), ("-", 1, 5), ("-", "end", 5), ("+", "end", 6), ("-", 0, 6)]
    for number, (strand, start, width) in enumerate(plans):
        widths = width + 1 + rng.permutation(4)
        motifs = {f"motif {letter}": _rows(rng, int(wide)) for letter, wide in zip("ABCD", widths)}
        read = motifs[f"motif {'BDAC'[number % 4]}"]
        read = read if strand == "+" else read[::-1, ::-1]
        start = min(len(read) - width, len(read) if start == "end" else start)
        cases.append((_blurred(read[start : start + width], rng), motifs))
    return [*cases, *(_trap(rng, decoy) for decoy in _DECOYS)]


# Each makes of a filter a motif that only one kind of slip takes for it.
_DECOYS = (
    lambda ppm: ppm[:, ::-1],  # exchanged letters
    lambda ppm: ppm[::-1],  # reversed rows
    lambda ppm: (1 - ppm) / 3,  # r is -1 in each row
    lambda ppm: 0.2 * ppm + np.array([0.74, 0.02, 0.02, 0.02]),  # the same columns, but for their height
    lambda ppm: np.vstack([ppm[:1], (1 - ppm[1:]) / 3]),  # the first row alone
    lambda ppm: ppm**6 / (ppm**6).sum(axis=1, keepdims=True),  # sharp rows
)


def _trap(rng, decoy):
    """A filter, a motif that looks like it to a slip, and a blurred motif of it."""
    ppm = _rows(rng, 5, 1.0)
    return ppm, {"decoy": decoy(ppm), "right": np.vstack([_rows(rng, 1), _blurred(ppm, rng)])}


# --- the slips -----------------------------------------------------------------------------------


def _row_correlations(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    first, second = (some - some.mean(axis=1, keepdims=True) for some in (first, second))
    return (first * second).sum(axis=1) / np.sqrt((first**2).sum(axis=1) * (second**2).sum(axis=1))


def _alike(first: np.ndarray, second: np.ndarray) -> float:
    return float(_row_correlations(first, second).sum())


def _searched(
    alike: Callable = _alike,
    turn: Callable = lambda motif: motif[::-1, ::-1],
    strands: str = "+-",
    starts: Callable = lambda free: range(free),
    turn_filter: bool = False,
) -> Callable:
    """A search as it is asked for, but for what is given."""

    def answer(ppm, motifs):
        with np.errstate(invalid="ignore"):  # a column may be the same throughout
            return search(ppm, motifs)

    def search(ppm, motifs):
        best, largest = None, -np.inf
        for name, motif in motifs.items():
            for strand in strands:
                read, sought = motif, ppm
                if strand == "-" and turn_filter:
                    sought = turn(ppm)
                elif strand == "-":
                    read = turn(motif)
                for start in starts(len(read) - len(ppm) + 1):
                    here = alike(sought, read[start : start + len(ppm)])
                    if here > largest:
                        best, largest = (name, strand, start), here
        return best

    return answer


filter_match = Exercise(
    oracle=_filter_match,
    cases=_match_cases,
    mistakes=[
        Mistake(
            _searched(strands="+"),
            "the motifs are read as they stand, never turned around. A filter may have learned a site on "
            "the other strand.",
        ),
        Mistake(
            _searched(turn=lambda motif: motif[::-1]),
            "for the other strand the rows are reversed and the columns are not: A must become T, and C "
            "become G. motif[::-1, ::-1] does both.",
        ),
        Mistake(
            _searched(turn=lambda motif: motif[:, ::-1]),
            "for the other strand the letters are exchanged, and the rows are not reversed. motif[::-1, "
            "::-1] does both.",
        ),
        Mistake(
            _searched(starts=lambda free: range(1)),
            "only the start of each motif is looked at; the filter may lie anywhere in it.",
        ),
        Mistake(
            _searched(starts=lambda free: range(free - 1)),
            "the last start is left out: a motif of W rows has W - width + 1 of them.",
        ),
        Mistake(
            _searched(starts=lambda free: range(1, free)),
            "the search begins at start 1; starts count from 0.",
        ),
        Mistake(
            _searched(turn_filter=True),
            "the filter is turned around in place of the motif. The match is the same, and its start is "
            "counted from the other end: turn the motif.",
        ),
        Mistake(
            _searched(lambda a, b: -_alike(a, b)),
            "this is the worst match: the largest correlation is asked.",
        ),
        Mistake(
            _searched(lambda a, b: abs(_alike(a, b))),
            "a correlation of -1 is as good as one of +1 here. It means that the letters are the wrong "
            "ones: leave the sign.",
        ),
        Mistake(
            _searched(lambda a, b: float((a * b).sum())),
            "this is the sum of products, as in a scan. Sharp rows then win whatever the filter's shape is; "
            "r, which takes the means off and divides by the spreads, compares the shapes.",
        ),
        Mistake(
            _searched(lambda a, b: float(_row_correlations(a.T, b.T).sum())),
            "the correlations are those of the four columns (each letter, along the motif); those of the "
            "rows are asked, each a position.",
        ),
        Mistake(
            _searched(lambda a, b: float(_row_correlations(a, b)[0])),
            "the first row decides; all rows count (is the sum inside the loop over starts?).",
        ),
        Mistake(
            lambda ppm, motifs: _filter_match(ppm, motifs)[0],
            "this is the name alone; strand and start are asked, too.",
        ),
        Mistake(
            lambda ppm, motifs: tuple(_filter_match(ppm, motifs)[at] for at in (0, 2, 1)),
            "strand and start have changed places: name, strand, start.",
        ),
        Mistake(
            lambda ppm, motifs: _filter_match(ppm, dict([next(iter(motifs.items()))])),
            "only the first motif was looked at; is `return` inside the loop?",
        ),
        Mistake(
            lambda ppm, motifs: _filter_match(ppm, dict([list(motifs.items())[-1]])),
            "the best is forgotten with each new motif, so that the last one wins: set it before the loop "
            "over motifs.",
        ),
    ],
)
