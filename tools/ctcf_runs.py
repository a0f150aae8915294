"""Train the network of lesson 06 on CTCF peaks against four kinds of negatives.

    python tools/ctcf_runs.py

Writes data/ctcf_runs.json and data/ctcf_network.pt in about twelve minutes on one thread. It reads the registered
dataset "ctcf-peaks" and those of the genomic windows. Run it again when the recipe, here and in the lesson,
changes; `tests/test_ctcf_runs.py` compares the first steps, the rivals and the shipped network with the file.

Chromosomes 8 and 9 are the test. For each seed (of the negatives, the first weights and the order of the
examples) and each rung of the ladder of negatives, a network is trained on the rung and tested on all four.
Beside it stand three rivals: the share of G and C, and the scan with JASPAR's matrix, which learn nothing, and
a logistic regression on the counts of k-mers. An area (AUC) is kept as a list: the estimate and the ends of its
95 % interval.

One more test, "unbound", has no peak in it: the negatives of the genomic rung against their own dinucleotide
shuffles. What a network scores there it has learned about shuffles, not about CTCF.

The recipe and the settings of the rivals were chosen on chromosomes 10 and 11, with the networks trained without
these and without the test's.
"""

import json
import time
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from runs import FIRST, as_inputs, first_losses, rounded
from sklearn.linear_model import LogisticRegression
from torch.nn import functional as F
from torch.utils.data import TensorDataset

from course_utils.backgrounds import sample_background
from course_utils.checkpoints import write_checkpoint
from course_utils.datasets import fetch, shipped
from course_utils.intervals import auc_interval
from course_utils.kmers import kmer_counts
from course_utils.models import seeded
from course_utils.models.peaks import BothStrandsCNN
from course_utils.motifs import UNIFORM, pfm_to_ppm, ppm_to_pwm, read_motifs
from course_utils.negatives import gc_of, genomic_windows, match_gc, tiles, without_peaks
from course_utils.regions import Regions, read_regions
from course_utils.schedules import cosine
from course_utils.sequences import from_codes, one_hot
from course_utils.shuffles import shuffle_bases, shuffle_dinucleotides
from course_utils.training import History, Loss, fit, predict

DATA = Path(__file__).resolve().parents[1] / "data"
RUNS, NETWORK = DATA / "ctcf_runs.json", DATA / "ctcf_network.pt"

TEST = ("chr8", "chr9")
RUNGS = ("uniform", "shuffled bases", "dinucleotides", "genomic")
SEEDS = (1, 2, 3, 4, 5)
SHIPPED = (1, "dinucleotides")  # the seed and the rung of the network that travels with the package

EPOCHS, BATCH, RATE = 3, 128, 1e-2
MOTIF = "MA0139.1"
K, STRENGTH = 8, 1e-2  # letters of a word; the inverse of the penalty, sklearn's C


class Examples(NamedTuple):
    """Sequences, bound ones first, and how many of them are bound."""

    sequences: list[str]
    bound: int

    @property
    def inputs(self) -> torch.Tensor:
        """What a network reads, ``(N, 4, L)``."""
        return as_inputs(one_hot(self.sequences))

    @property
    def labels(self) -> np.ndarray:
        """``(N,)``, 1 for the bound ones."""
        return (np.arange(len(self.sequences)) < self.bound).astype(int)

    @property
    def counts(self) -> list[int]:
        """How many are bound, and how many are not."""
        return [self.bound, len(self.sequences) - self.bound]


# --- peaks, real regions, and the ladder of negatives --------------------------------------------


def read_peaks() -> tuple[Regions, Regions]:
    """The peaks for training and those for the test."""
    return read_regions(fetch("ctcf-peaks")[0]).by_chromosome(TEST)


def read_real(peaks: tuple[Regions, Regions]) -> tuple[Regions, Regions]:
    """Stretches of the real windows, as long as a peak, in which no peak lies: for training and for the test."""
    training, test = peaks
    known = Regions(training.sequences + test.sequences)
    return tiles(without_peaks(genomic_windows(), known), known.length).by_chromosome(TEST)


def make_examples(
    rung: str, peaks: Regions, real: Regions | None, rng: np.random.Generator
) -> Examples:
    """A negative for each peak; on the rung "genomic", for each that finds a real region of equal GC."""
    positives = list(peaks.sequences)
    if rung == "uniform":
        negatives = from_codes(sample_background(len(peaks), peaks.length, UNIFORM, rng))
    elif rung == "shuffled bases":
        negatives = shuffle_bases(positives, rng)
    elif rung == "dinucleotides":
        negatives = shuffle_dinucleotides(positives, rng)
    else:
        chosen, partners = match_gc(peaks, real, rng)
        positives, negatives = peaks.subset(chosen).sequences, real.subset(partners).sequences
    return Examples([*positives, *negatives], len(positives))


# --- the network ---------------------------------------------------------------------------------


def train(
    examples: Examples, seed: int, loss: Loss = F.binary_cross_entropy_with_logits
) -> tuple[BothStrandsCNN, History]:
    """The recipe of lesson 06."""
    with seeded(seed):
        model = BothStrandsCNN()
    history = fit(
        model,
        TensorDataset(examples.inputs, torch.from_numpy(examples.labels).float()),
        loss=loss,
        optimizer=torch.optim.Adam(model.parameters(), lr=RATE),
        epochs=EPOCHS,
        batch_size=BATCH,
        schedule=cosine(EPOCHS * -(-len(examples.sequences) // BATCH)),
        generator=torch.Generator().manual_seed(seed),
        progress=False,
    )
    return model, history


def first_steps(examples: Examples, seed: int) -> list[float]:
    """The losses of the first steps, as the file keeps them, without the rest of the training."""
    return first_losses(lambda loss: train(examples, seed, loss), F.binary_cross_entropy_with_logits)


# --- rivals and judgement ------------------------------------------------------------------------


def scan_scores(examples: Examples) -> np.ndarray:
    """The best score of JASPAR's matrix at any place of either strand, ``(N,)``."""
    (motif,) = (motif for motif in read_motifs(shipped("jaspar_motifs.txt")) if motif.accession == MOTIF)
    pwm = torch.from_numpy(ppm_to_pwm(pfm_to_ppm(motif.pfm, 0.5), UNIFORM)).float().T  # (4, width)
    scores = F.conv1d(examples.inputs, torch.stack((pwm, pwm.flip(0, 1))))  # (N, 2, places)
    return scores.amax(dim=(1, 2)).numpy()


def kmer_scores(training: Examples, test: Examples) -> np.ndarray:
    """The log-odds of a logistic regression on the counts of words, ``(N,)``."""
    model = LogisticRegression(C=STRENGTH, max_iter=1000)
    model.fit(kmer_counts(training.sequences, K, sparse=True), training.labels)
    return model.decision_function(kmer_counts(test.sequences, K, sparse=True))


def auc(examples: Examples, scores: np.ndarray) -> list[float]:
    """The area and the ends of its interval, as the file keeps them."""
    return rounded(auc_interval(examples.labels, scores))


def auc_of(model: BothStrandsCNN, examples: Examples) -> list[float]:
    return auc(examples, predict(model, examples.inputs).numpy())


class Ladder:
    """All examples of a seed: of each rung, for training and for the test; and those of the test "unbound"."""

    def __init__(self, seed: int, peaks: tuple[Regions, Regions], real: tuple[Regions, Regions]):
        self.training, self.test = {}, {}
        for rung in RUNGS:
            rng = np.random.default_rng(seed)
            self.training[rung], self.test[rung] = (
                make_examples(rung, some, others, rng) for some, others in zip(peaks, real)
            )
        genomic = self.test["genomic"]
        unbound = genomic.sequences[genomic.bound :]
        shuffled = shuffle_dinucleotides(unbound, np.random.default_rng(seed))
        self.unbound = Examples([*unbound, *shuffled], len(unbound))


def judge_rivals(training: Examples, test: Examples) -> dict:
    """The rivals on one rung."""
    return {
        "gc": auc(test, gc_of(test.sequences)),
        "scan": auc(test, scan_scores(test)),
        "kmers": auc(test, kmer_scores(training, test)),
    }


def main() -> None:
    torch.set_num_threads(1)
    peaks, runs = read_peaks(), []
    real = read_real(peaks)
    for seed in SEEDS:
        ladder, run = Ladder(seed, peaks, real), {"seed": seed}
        for rung in RUNGS:
            began = time.process_time()
            model, history = train(ladder.training[rung], seed)
            run[rung] = {
                "seconds": round(time.process_time() - began, 1),
                "training": ladder.training[rung].counts,
                "test": ladder.test[rung].counts,
                **judge_rivals(ladder.training[rung], ladder.test[rung]),
                "network": {tested: auc_of(model, examples) for tested, examples in ladder.test.items()},
                "unbound": auc_of(model, ladder.unbound),
                "first_losses": rounded(history.batch_loss[:FIRST]),
                "losses": rounded(history.train_loss),
            }
            print(seed, rung, json.dumps(run[rung]), flush=True)
            if (seed, rung) == SHIPPED:
                write_checkpoint({"model": model.state_dict()}, NETWORK)
        runs.append(run)
    lines = ",\n".join(json.dumps(run, separators=(",", ":")) for run in runs)
    RUNS.write_text(f'{{"runs": [\n{lines}\n]}}\n', encoding="utf-8")
    for path in (RUNS, NETWORK):
        print(f"{path.name}: {path.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
