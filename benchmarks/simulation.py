"""Shuffles and simulated sets, beside the plain ways to make them, in one run.

    python benchmarks/simulation.py

Dinucleotide shuffles of 10,000 x 100 bases: one sequence after the other in plain Python, and ours. A labelled
set of 100,000 x 1,000 bases, half of them positives: position by position with ``rng.choice``, as the source
lectures do it, and ours. Medians of three. Ends with an error if a result breaks its promise.
"""

import sys
import timeit
from collections import Counter
from statistics import median

import numpy as np

from course_utils.backgrounds import gc_background, transitions_of
from course_utils.ceilings import ceiling
from course_utils.sequences import from_codes
from course_utils.shuffles import shuffle_dinucleotides
from course_utils.simulation import simulate

REPEATS = 3
PPM = np.full((12, 4), 0.05) + 0.8 * np.eye(4)[[1, 1, 2, 2, 0, 0, 3, 1, 0, 2, 3, 0]]


def shuffle_one(sequence: str, rng: np.random.Generator) -> str:
    """Altschul & Erickson's shuffle as their paper tells it: try last edges until they form a tree."""
    edges = {}
    for base, following in zip(sequence, sequence[1:]):
        edges.setdefault(base, []).append(following)
    end = sequence[-1]
    while True:
        last = {base: int(rng.integers(len(to))) for base, to in edges.items() if base != end}
        for base in last:
            seen = {base}
            while base != end and (base := edges[base][last[base]]) not in seen:
                seen.add(base)
            if base != end:
                break
        else:
            break
    orders = {}
    for base, to in edges.items():
        others = [following for i, following in enumerate(to) if i != last.get(base)]
        rng.shuffle(others)
        orders[base] = iter(others + ([to[last[base]]] if base in last else []))
    walk = [sequence[0]]
    while (following := next(orders.get(walk[-1], iter(())), None)) is not None:
        walk.append(following)
    return "".join(walk)


def position_by_position(many: int, length: int, start: int, rng: np.random.Generator) -> np.ndarray:
    columns = [PPM[i - start] if 0 <= i - start < len(PPM) else [0.25] * 4 for i in range(length)]
    positives = [rng.choice(4, many, p=column) for column in columns]
    negatives = [rng.choice(4, many, p=[0.25] * 4) for _ in range(length)]
    return np.concatenate([np.array(positives).T, np.array(negatives).T]).astype(np.uint8)


def kept(before: list[str], after: list[str]) -> bool:
    def pairs(sequence):
        return Counter(sequence[i : i + 2] for i in range(len(sequence) - 1))

    return all(a[0] + a[-1] == b[0] + b[-1] and pairs(a) == pairs(b) for a, b in zip(before, after))


def seconds_of(function) -> float:
    return median(timeit.repeat(function, number=1, repeat=REPEATS))


def main() -> int:
    rng = np.random.default_rng(0)
    codes = rng.integers(4, size=(10_000, 100), dtype=np.uint8)
    sequences = from_codes(codes)
    good = True

    def say(name, seconds, slowest):
        print(f"{name:50}{1e3 * seconds:10.0f} ms{slowest / seconds:8.1f} times as fast")

    print(f"dinucleotide shuffles of 10,000 x 100, medians of {REPEATS}")
    contenders = {
        "plain Python, one after the other": lambda: [shuffle_one(one, rng) for one in sequences],
        "ours, from and to strings": lambda: shuffle_dinucleotides(sequences, rng),
        "ours, codes": lambda: from_codes(shuffle_dinucleotides(codes, rng)),
    }
    slowest = 0.0
    for name, function in contenders.items():
        if not kept(sequences, function()):
            print(f"{name} does not keep the dinucleotides", file=sys.stderr)
            good = False
        timed = function if name != "ours, codes" else lambda: shuffle_dinucleotides(codes, rng)
        seconds = seconds_of(timed)
        slowest = max(slowest, seconds)
        say(name, seconds, slowest)

    half, length = 50_000, 1000
    print(f"labelled sets of {2 * half:,} x {length:,}, medians of {REPEATS}")
    choices = dict(positives=half, negatives=half, length=length, rng=rng)
    chain = transitions_of(codes)
    contenders = {
        "position by position, known place": lambda: position_by_position(half, length, 494, rng),
        "ours, known place": lambda: simulate(PPM, start=494, **choices).codes,
        "ours, any place, either strand": lambda: simulate(PPM, strand="either", **choices).codes,
        "ours, background of 40 % GC": lambda: simulate(
            PPM, background=gc_background(0.4), start=494, **choices
        ).codes,
        "ours, background a chain": lambda: simulate(PPM, background=chain, start=494, **choices).codes,
        "ours, against shuffled positives": lambda: simulate(
            PPM, against="shuffled", start=494, **choices
        ).codes,
        "ours, against dinucleotide shuffles": lambda: simulate(
            PPM, against="dinucleotides", start=494, **choices
        ).codes,
    }
    slowest = 0.0
    for name, function in contenders.items():
        made = function()
        if "any place" not in name:  # the consensus stands at its place in positives alone
            sites = np.mean(made[:, 494:506] == PPM.argmax(axis=1), axis=1)
            if abs(sites[:half].mean() - 0.85) > 0.01 or sites[half:].mean() > 0.4:
                print(f"{name} did not plant the motif", file=sys.stderr)
                good = False
        seconds = seconds_of(function)
        slowest = max(slowest, seconds)
        say(name, seconds, slowest)

    print(f"ceilings, 100,000 sequences drawn, medians of {REPEATS}")
    for name, choices in {
        "20 bases, any place": {},
        "20 bases, any place, against shuffled": {"against": "shuffled"},
        "200 bases, any place, either strand": {"length": 200, "strand": "either"},
    }.items():
        seconds = seconds_of(lambda: ceiling(PPM[:6], rng=rng, **choices))
        print(f"{name:50}{1e3 * seconds:10.0f} ms")
    print("all keep their promises" if good else "A PROMISE IS BROKEN")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
