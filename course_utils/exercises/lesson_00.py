"""The exercises of lesson 00: the GC content of a table's rows, a split by chromosome, four measures."""

from math import sqrt

import numpy as np

from course_utils.exercises import Exercise, Mistake

ROUNDED = "the numbers are rounded to {} decimals; give them as they come, and round when you print."

# --- GC content ----------------------------------------------------------------------------------


def _sequences(rng: np.random.Generator):
    yield (["GGCC", "ATAT", "ACGT"],)
    yield (["ggCC", "atAT"],)
    for count in (1, 5, 20):
        letters = [rng.choice(list("ACGTacgt"), rng.integers(10, 60)) for _ in range(count)]
        yield (["".join(some) for some in letters],)


def _gc_content(sequences):
    rows = []
    for sequence in sequences:
        hits = 0
        for letter in sequence:
            if letter in "GCgc":
                hits += 1
        rows.append(hits / len(sequence))
    return np.array(rows)


gc_content = Exercise(
    _gc_content,
    _sequences,
    mistakes=[
        Mistake(
            lambda sequences: np.array(
                [(s.count("G") + s.count("C")) / len(s) for s in sequences]
            ),
            "lower-case g and c are bases too (lower case marks repeats); turn the sequence into "
            "upper case before you count.",
        ),
        Mistake(
            lambda sequences: np.array([s.upper().count("G") / len(s) for s in sequences]),
            "only one of the two letters is counted; GC content is G and C together.",
        ),
        Mistake(
            lambda sequences: np.array([s.upper().count("GC") / len(s) for s in sequences]),
            'count("GC") looks for the two-letter word GC; count the letter G and the letter C, and add.',
        ),
        Mistake(
            lambda sequences: 100 * _gc_content(sequences),
            "these are percent; a fraction from 0 to 1 is asked for.",
        ),
        Mistake(
            lambda sequences: np.array([len(s) * f for s, f in zip(sequences, _gc_content(sequences))]),
            "these are counts; divide each by the length of its own sequence.",
        ),
        Mistake(
            lambda sequences: _gc_content(["".join(sequences)])[0],
            "one number came for all sequences together; each row of the table needs its own.",
        ),
        *(
            Mistake(
                lambda sequences, d=decimals: np.array(
                    [round(fraction, d) for fraction in _gc_content(sequences).tolist()]
                ),
                ROUNDED.format(decimals),
            )
            for decimals in (1, 2, 3, 4)
        ),
    ],
)


# --- split by chromosome -------------------------------------------------------------------------


def _names(rng: np.random.Generator):
    yield ["chr1:100-200", "chr10:5-105", "chr2:7-107"], ["chr1"]
    yield ["chr2:9-109", "chr22:40-140", "chrX:0-100"], ["chr22", "chrX"]
    chromosomes = [f"chr{number}" for number in range(1, 23)] + ["chrX", "chrY"]
    for count in (10, 50):
        starts = rng.integers(0, 10**8, count)
        drawn = rng.choice(chromosomes, count)
        names = [f"{chromosome}:{start}-{start + 100}" for chromosome, start in zip(drawn, starts)]
        yield names, ["chr1", "chr2", str(drawn[0])]


def _split_by_chromosome(names, held_out):
    marks = []
    for name in names:
        chromosome = name.split(":")[0]
        marks.append(chromosome in held_out)
    return np.array(marks)


split_by_chromosome = Exercise(
    _split_by_chromosome,
    _names,
    mistakes=[
        Mistake(
            lambda names, held_out: np.array([n.startswith(tuple(held_out)) for n in names]),
            '"chr10:5-105" starts with "chr1" too, and contains it; compare the whole name before '
            "the colon.",
        ),
        Mistake(
            lambda names, held_out: np.array([n[:4] in held_out for n in names]),
            'four letters are too few for "chr10" and cut it to "chr1"; split the name at the colon.',
        ),
        Mistake(
            lambda names, held_out: ~_split_by_chromosome(names, held_out),
            "this is the other way round: True marks the held-out records, False those to train on.",
        ),
        Mistake(
            lambda names, held_out: np.array([n in held_out for n in names]),
            "the whole record name is compared, position and all; take what is before the colon.",
        ),
        Mistake(
            lambda names, held_out: np.flatnonzero(_split_by_chromosome(names, held_out)),
            "these are the places of the held-out records; give one True or False for each record.",
        ),
    ],
)


# --- four measures -------------------------------------------------------------------------------


def _counts(rng: np.random.Generator):
    yield 8, 2, 4, 86
    yield 0, 0, 1, 99
    yield 1, 99, 0, 0
    yield 0, 0, 0, 5
    for most in (10, 100, 1000):
        yield tuple(int(count) for count in rng.integers(1, most, 4))


def _measures(tp, fp, fn, tn, *, precision=None, recall=None, mcc=None):
    """The four measures; a mistake hands in its own (above, below) of one of them."""

    def ratio(above, below):
        return above / below if below else 0.0

    return {
        "accuracy": ratio(tp + tn, tp + fp + fn + tn),
        "recall": ratio(*(recall or (tp, tp + fn))),
        "precision": ratio(*(precision or (tp, tp + fp))),
        "mcc": ratio(*(mcc or (tp * tn - fp * fn, _below(tp, fp, fn, tn)))),
    }


def _below(tp, fp, fn, tn):
    return sqrt((tp + fp) * (tp + fn) * (tn + fp) * (tn + fn))


def _undefined_is_an_error(tp, fp, fn, tn):
    return {
        "accuracy": (tp + tn) / (tp + fp + fn + tn),
        "recall": tp / (tp + fn),
        "precision": tp / (tp + fp),
        "mcc": (tp * tn - fp * fn) / _below(tp, fp, fn, tn),
    }


def _undefined_is_nan(tp, fp, fn, tn):
    with np.errstate(invalid="ignore"):
        return _undefined_is_an_error(*np.array([tp, fp, fn, tn], dtype=float))


def _mcc_is_nan(tp, fp, fn, tn):
    undefined = _below(tp, fp, fn, tn) == 0
    return _measures(tp, fp, fn, tn) | ({"mcc": float("nan")} if undefined else {})


def _changed(change):
    """A mistake that does the same thing to all four measures."""
    return lambda *counts: {name: change(value) for name, value in _measures(*counts).items()}


def _named(*names):
    """A mistake in the keys of the dictionary."""
    return Mistake(
        lambda *counts: dict(zip(names, _measures(*counts).values())),
        f"the keys are {', '.join(names)}, and the docstring writes them in small letters.",
    )


metrics = Exercise(
    lambda tp, fp, fn, tn: _measures(tp, fp, fn, tn),
    _counts,
    mistakes=[
        Mistake(
            _undefined_is_an_error,
            "a measure whose lower part is 0 is undefined, and Python stops with an error; "
            "give 0.0 in that case.",
        ),
        Mistake(
            _undefined_is_nan,
            "nan (not a number) came where a measure is undefined; give 0.0 in that case.",
        ),
        Mistake(
            _mcc_is_nan,
            "mcc is nan (not a number) where its lower part is 0; give 0.0 for mcc too.",
        ),
        Mistake(
            lambda tp, fp, fn, tn: _measures(
                tp, fp, fn, tn, precision=(tp, tp + fn), recall=(tp, tp + fp)
            ),
            "precision and recall are exchanged: recall asks how many of the true ones were found, "
            "precision how many of the calls are true.",
        ),
        Mistake(
            lambda tp, fp, fn, tn: _measures(
                tp, fp, fn, tn, mcc=(tp * tn - fp * fn, _below(tp, fp, fn, tn) ** 2)
            ),
            "the lower part of mcc is the square root of the product.",
        ),
        Mistake(
            lambda tp, fp, fn, tn: _measures(
                tp, fp, fn, tn, mcc=(tp * tn + fp * fn, _below(tp, fp, fn, tn))
            ),
            "in the upper part of mcc the wrong calls count against the right ones: "
            "tp * tn minus fp * fn.",
        ),
        Mistake(
            lambda tp, fp, fn, tn: _measures(tp, fp, fn, tn) | {"accuracy": tp / (tp + fp + fn + tn)},
            "accuracy counts all right answers: true positives and true negatives.",
        ),
        Mistake(
            lambda tp, fp, fn, tn: {
                name: 100 * value if name != "mcc" else value
                for name, value in _measures(tp, fp, fn, tn).items()
            },
            "these are percent; fractions from 0 to 1 are asked for.",
        ),
        Mistake(
            _changed(lambda value: 100 * value),
            "all four, mcc too, are multiplied by 100; no percent here.",
        ),
        *(
            Mistake(_changed(lambda value, d=decimals: round(value, d)), ROUNDED.format(decimals))
            for decimals in (1, 2, 3, 4)
        ),
        _named("accuracy", "recall", "precision", "MCC"),
        _named("Accuracy", "Recall", "Precision", "MCC"),
        _named("Accuracy", "Recall", "Precision", "Mcc"),
        _named("ACCURACY", "RECALL", "PRECISION", "MCC"),
    ],
)
