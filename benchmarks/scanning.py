"""Scanning 10 million bases, both strands, width 12: Biopython, torch, lightmotif, MOODS and ours.

    python benchmarks/scanning.py

Medians of five on one thread, in turn. All start from the same string and the same weights, rounded to
0.001 bit, except that torch's one-hot tensor is made beforehand. First all scores, then the hits at
p = 1e-4. MOODS gives only hits. Ends with an error if the contenders' hits differ in one start or strand.
`make bench` installs lightmotif and MOODS where it can; without them their lines say so.
"""

import sys
import timeit
import tracemalloc
from importlib.util import find_spec
from statistics import median

import numpy as np
import torch
from Bio.motifs.matrix import PositionSpecificScoringMatrix
from Bio.Seq import Seq

from course_utils.datasets import shipped
from course_utils.motifs import pfm_to_ppm, ppm_to_pwm, read_motifs
from course_utils.scanning import find_hits, rounded, scan, score_distribution
from course_utils.sequences import ALPHABET, from_codes, one_hot

BASES, WIDTH, P_VALUE, REPEATS = 10**7, 12, 1e-4, 5
BACKGROUND = dict.fromkeys(ALPHABET, 0.25)

Pairs = set[tuple[int, str]]  # start and strand of each hit


def a_motif() -> np.ndarray:
    """The strong middle of JASPAR's CTCF motif, as rounded weights ``(12, 4)``."""
    ctcf = next(motif for motif in read_motifs(shipped("jaspar_motifs.txt")) if motif.name == "CTCF")
    return rounded(ppm_to_pwm(pfm_to_ppm(ctcf.pfm[3 : 3 + WIDTH], 0.5)))


def pairs_of(scores, threshold: float) -> Pairs:
    hits = find_hits(np.stack(scores), threshold)
    return set(zip(hits.start.tolist(), hits.strand.tolist()))


class Contenders:
    """Each method returns all scores ``(2, windows)`` or all hits, of both strands."""

    def __init__(self, sequence: str, pwm: np.ndarray, threshold: float):
        self.sequence, self.pwm, self.threshold = sequence, pwm, threshold
        self.weights = {base: column.tolist() for base, column in zip(ALPHABET, pwm.T)}

    def ours(self):
        return scan(self.sequence, self.pwm)

    def our_hits(self) -> Pairs:
        hits = find_hits(scan(self.sequence, self.pwm), self.threshold)
        return set(zip(hits.start.tolist(), hits.strand.tolist()))

    def biopython(self):
        pssm = PositionSpecificScoringMatrix(ALPHABET, self.weights)
        sequence = Seq(self.sequence)
        return pssm.calculate(sequence), pssm.reverse_complement().calculate(sequence)

    def prepare_torch(self) -> None:
        encoded = one_hot(self.sequence).T[None]  # (1, 4, L)
        self.encoded = torch.from_numpy(np.ascontiguousarray(encoded))
        both = np.stack([self.pwm.T, self.pwm[::-1, ::-1].T]).astype(np.float32)  # (2, 4, width)
        self.filters = torch.from_numpy(both)

    def torch(self):
        with torch.inference_mode():
            return torch.nn.functional.conv1d(self.encoded, self.filters)[0].numpy()

    def lightmotif(self):
        import lightmotif

        pssm = lightmotif.ScoringMatrix(self.weights)
        sequence = lightmotif.stripe(self.sequence)
        return pssm.calculate(sequence), pssm.reverse_complement().calculate(sequence)

    def lightmotif_hits(self) -> Pairs:
        import lightmotif

        plus = lightmotif.ScoringMatrix(self.weights)
        sequence = lightmotif.stripe(self.sequence)
        return {
            (hit.position, strand)
            for strand, pssm in (("+", plus), ("-", plus.reverse_complement()))
            for hit in lightmotif.scan(pssm, sequence, threshold=self.threshold)
        }

    def moods_hits(self) -> Pairs:
        import MOODS.scan
        import MOODS.tools

        both = [self.pwm.T.tolist(), self.pwm[::-1, ::-1].T.tolist()]
        background = MOODS.tools.flat_bg(4)
        found = MOODS.scan.scan_dna(self.sequence, both, background, [self.threshold] * 2, 7)
        return {(hit.pos, strand) for strand, hits in zip("+-", found) for hit in hits}


def medians(functions: dict) -> dict:
    """Seconds of each, in turn, so that a busy moment of the machine strikes all alike."""
    times = {name: [] for name in functions}
    for _ in range(REPEATS):
        for name, function in functions.items():
            times[name].append(timeit.timeit(function, number=1))
    return {name: median(measured) for name, measured in times.items()}


def report(title: str, seconds: dict, missing: list[str]) -> None:
    print(f"\n{title:30}{'seconds':>9}{'million bases / s':>19}{'ours is':>9}")
    for name, time in seconds.items():
        print(f"{name:30}{time:9.3f}{BASES / time / 1e6:19.1f}{time / seconds['ours']:7.1f} x")
    for name in missing:
        print(f"{name:30} not installed")


def peak_bytes(function) -> int:
    tracemalloc.start()
    function()
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return peak


def main() -> int:
    torch.set_num_threads(1)
    (sequence,) = from_codes(np.random.default_rng(0).integers(0, 4, size=(1, BASES), dtype=np.uint8))
    pwm = a_motif()
    threshold = score_distribution(pwm).threshold(P_VALUE)
    run = Contenders(sequence, pwm, threshold)
    run.prepare_torch()
    missing = [name for name in ("lightmotif", "MOODS") if find_spec(name) is None]

    scorers = {"ours": run.ours, "Biopython calculate": run.biopython, "torch conv1d": run.torch}
    finders = {"ours": run.our_hits}
    if "lightmotif" not in missing:
        scorers["lightmotif calculate"] = run.lightmotif
        finders["lightmotif scan"] = run.lightmotif_hits
    if "MOODS" not in missing:
        finders["MOODS scan_dna"] = run.moods_hits

    expected, equal = run.our_hits(), True  # the first call also fills caches
    for name, function in scorers.items():
        scores = function()
        if name == "lightmotif calculate":
            found = {(i, strand) for strand, row in zip("+-", scores) for i in row.threshold(threshold)}
        else:
            found = pairs_of(scores, threshold)
        equal &= agree(name, found, expected)
    for name, function in finders.items():
        equal &= agree(name, function(), expected)

    print(f"{BASES:,} random bases, both strands, width {WIDTH}, one thread, medians of {REPEATS}")
    report("all scores", medians(scorers), missing[:1] if "lightmotif" in missing else [])
    report(f"hits at p = {P_VALUE}", medians(finders), missing)
    bytes_a_base = peak_bytes(run.ours) / BASES
    print(f"\nscan takes {bytes_a_base:.1f} bytes a base at its peak, the scores' 8 included (aim: under 40)")
    chance = score_distribution(pwm).p_value(threshold) * 2 * (BASES - WIDTH + 1)
    print(f"{len(expected):,} hits at a score of {threshold:.4f} or more; {chance:,.0f} expected by chance")
    print("all hit lists are equal" if equal else "NOT EQUAL")
    return 0 if equal else 1


def agree(name: str, found: Pairs, expected: Pairs) -> bool:
    if found != expected:
        extra, lost = sorted(found - expected), sorted(expected - found)
        print(f"{name}: {len(extra)} hits more {extra[:3]}, {len(lost)} fewer {lost[:3]}", file=sys.stderr)
    return found == expected


if __name__ == "__main__":
    sys.exit(main())
