"""Thresholds for a p-value: how long they take, and how often random words really pass them.

    python benchmarks/thresholds.py

Times: medians of five, in turn, for random motifs of width 20 and 30, at p = 1e-4. Rates: all 4^width
words are scored and counted, on the motif of the source lectures (width 5) and on JASPAR's MAX (width 6);
for ours with the rounded weights, about which alone it promises something. Ends with an error if ours lets
more pass than asked. `make bench` installs lightmotif and MOODS where it can.
"""

import sys
import timeit
from importlib.util import find_spec
from statistics import median

import numpy as np
from Bio.motifs.matrix import PositionSpecificScoringMatrix

from course_utils.datasets import shipped
from course_utils.motifs import MotifError, pfm_from_sites, pfm_to_ppm, ppm_to_pwm, read_motifs
from course_utils.scanning import STEP, rounded, score_distribution
from course_utils.sequences import ALPHABET

REPEATS = 5
UNIFORM = dict.fromkeys(ALPHABET, 0.25)


def weights_of(pwm: np.ndarray) -> dict[str, list[float]]:
    return {base: column.tolist() for base, column in zip(ALPHABET, pwm.T)}


def ours(pwm: np.ndarray, p: float) -> float:
    return score_distribution(pwm, step=STEP).threshold(p)


def ours_fine(pwm: np.ndarray, p: float) -> float:
    return score_distribution(pwm, step=1e-4).threshold(p)


def biopython(pwm: np.ndarray, p: float) -> float:
    pssm = PositionSpecificScoringMatrix(ALPHABET, weights_of(pwm))
    return pssm.distribution(UNIFORM, precision=1000).threshold_fpr(p)


def lightmotif(pwm: np.ndarray, p: float) -> float:
    import lightmotif

    return lightmotif.ScoringMatrix(weights_of(pwm)).score(p)


def moods(pwm: np.ndarray, p: float) -> float:
    import MOODS.tools

    return MOODS.tools.threshold_from_p(pwm.T.tolist(), MOODS.tools.flat_bg(4), p)


CONTENDERS = {
    "ours, 0.001 bit": ours,
    "ours, 0.0001 bit": ours_fine,
    "Biopython distribution": biopython,
    "lightmotif": lightmotif,
    "MOODS": moods,
}
STEPS = {"ours, 0.001 bit": STEP, "ours, 0.0001 bit": 1e-4}
NEEDED = {"lightmotif": "lightmotif", "MOODS": "MOODS"}


def seconds(contenders: dict, pwm: np.ndarray) -> dict[str, float]:
    times = {name: [] for name in contenders}
    for _ in range(REPEATS):  # in turn, so that a busy moment of the machine strikes all alike
        for name, function in contenders.items():
            times[name].append(timeit.timeit(lambda: function(pwm, 1e-4), number=1))
    return {name: median(measured) for name, measured in times.items()}


def share_of_words(pwm: np.ndarray, threshold: float) -> float:
    """The share of all words that score at least the threshold, less 1e-6 bit for its own rounding."""
    scores = np.zeros(1)
    for row in pwm:
        scores = (scores[:, None] + row).ravel()
    return float((scores >= threshold - 1e-6).mean())


def main() -> int:
    contenders = {k: f for k, f in CONTENDERS.items() if k not in NEEDED or find_spec(NEEDED[k])}
    for name in CONTENDERS.keys() - contenders.keys():
        print(f"{name} is not installed")

    rng = np.random.default_rng(0)
    widths = {20: None, 30: None}
    for width in widths:
        pwm = ppm_to_pwm(0.96 * rng.dirichlet([0.5] * 4, size=width) + 0.01)
        widths[width] = seconds(contenders, pwm)
    print(f"a threshold from a p-value, one thread, medians of {REPEATS}")
    print(f"{'':24}{'width 20':>12}{'width 30':>12}")
    for name in contenders:
        print(f"{name:24}" + "".join(f"{1e3 * times[name]:9.1f} ms" for times in widths.values()))

    max_pfm = next(m.pfm for m in read_motifs(shipped("jaspar_motifs.txt")) if m.name == "MAX")
    cases = [
        ("the lectures' TACAA, TACGA, TACAA", pfm_from_sites(["TACAA", "TACGA", "TACAA"]), (0.01, 0.001)),
        ("JASPAR's MAX", max_pfm, (0.01, 0.001, 1e-4)),
    ]
    right = True
    for title, pfm, p_values in cases:
        pwm = ppm_to_pwm(pfm_to_ppm(pfm, 0.5))
        print(f"\nhow often random words pass: {title}, {4 ** len(pwm):,} words")
        print(f"{'asked':24}" + "".join(f"{p:>22g}" for p in p_values))
        for name, function in contenders.items():
            line = f"{name:24}"
            for p in p_values:
                try:
                    threshold = function(pwm, p)
                except MotifError:
                    line += f"{'no word is so rare':>22}"
                    continue
                scored = rounded(pwm, STEPS[name]) if name in STEPS else pwm
                rate = share_of_words(scored, threshold)
                line += f"{f'{rate:.3g} ({rate / p:.2g} x)':>22}"
                right = right and not (name in STEPS and rate > p)
            print(line)
    print("\nours never passes more than asked" if right else "\nOURS PASSES MORE THAN ASKED")
    return 0 if right else 1


if __name__ == "__main__":
    sys.exit(main())
