"""One-hot of 2,000 sequences of 50 bases: a double loop, scikit-learn and ours, in one run.

    python benchmarks/one_hot.py

Medians of five. The loop and scikit-learn start from an array of single letters, made beforehand;
ours starts from the strings. Ends with an error if the results differ in a single bit.
"""

import sys
import timeit
from statistics import median

import numpy as np
from sklearn.preprocessing import OneHotEncoder

from course_utils.sequences import ALPHABET, one_hot

SEQUENCES, LENGTH, REPEATS = 2000, 50, 5


def by_loop(letters: np.ndarray) -> np.ndarray:
    """As a first course does it: an array of zeros, and a 1 written for each letter in turn."""
    column = {"A": 0, "C": 1, "G": 2, "T": 3}
    encoded = np.zeros((*letters.shape, 4))
    for i in range(letters.shape[0]):
        for j in range(letters.shape[1]):
            encoded[i, j, column[letters[i, j]]] = 1
    return encoded


def by_sklearn(letters: np.ndarray) -> np.ndarray:
    encoder = OneHotEncoder(categories=[list(ALPHABET)] * LENGTH, sparse_output=False)
    return encoder.fit_transform(letters).reshape(*letters.shape, 4)


def main() -> int:
    letters = np.random.default_rng(0).choice(list(ALPHABET), size=(SEQUENCES, LENGTH))
    sequences = ["".join(row) for row in letters]
    contenders = {  # name -> function, calls a measurement
        "double loop, float64": (lambda: by_loop(letters), 1),
        "scikit-learn, float64": (lambda: by_sklearn(letters), 1),
        "ours, float32": (lambda: one_hot(sequences), 100),
        "ours, uint8": (lambda: one_hot(sequences, dtype=np.uint8), 100),
    }
    expected = by_loop(letters)
    equal = True
    for name, (function, _) in contenders.items():
        encoded = function()  # the first call also fills caches
        same = np.array_equal(encoded, expected)
        same = same and encoded.astype(expected.dtype).tobytes() == expected.tobytes()
        if not same:
            print(f"{name} differs from the loop", file=sys.stderr)
        equal = equal and same

    times = {name: [] for name in contenders}
    for _ in range(REPEATS):  # in turn, so that a busy moment of the machine strikes all alike
        for name, (function, calls) in contenders.items():
            times[name].append(timeit.timeit(function, number=calls) / calls)
    seconds = {name: median(measured) for name, measured in times.items()}

    print(f"one-hot of {SEQUENCES:,} x {LENGTH}, medians of {REPEATS}")
    slowest = seconds["double loop, float64"]
    for name, time in seconds.items():
        print(f"{name:22}{1e3 * time:10.3f} ms{slowest / time:9.1f} times the loop's speed")
    print("all equal, bit for bit" if equal else "NOT EQUAL")
    return 0 if equal else 1


if __name__ == "__main__":
    sys.exit(main())
