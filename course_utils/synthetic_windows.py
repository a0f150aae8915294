"""A file of simulated windows as large as a real one, to try a training at full size whose best score is known.

    python -m course_utils.synthetic_windows seq.h5

The rules are those of :mod:`course_utils.genomes`, for windows of any length: a promoter and an enhancer for every 32
bins. Each batch of windows is drawn by a generator of its own, seeded by the seed, the split and the first window, so
that a file that was broken off is gone on with and comes out the same. For the test windows the file also holds the
expected counts (``test_rate``), and those as well as they can be known from 8 bins around (``test_local_rate``).
Explained in lesson 10.
"""

import argparse
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np

from course_utils import __version__
from course_utils.backgrounds import SimulationError, check_whole
from course_utils.genomes import GenomeRules, make_genome, mean_boost, simulate_genome
from course_utils.hdf5_making import make_file
from course_utils.hdf5_windows import read_array
from course_utils.tracks import pearson_per_track
from course_utils.window_layout import Layout
from course_utils.windows import SPLITS, WindowError

COUNTS = {"train": 5000, "valid": 500, "test": 500}


def make_synthetic(
    path: str | Path,
    *,
    counts: Mapping[str, int] = COUNTS,
    length: int = 131_072,
    seed: int = 1,
    progress: bool = True,
) -> None:
    """Make an HDF5 file of simulated windows; after a break, call it again to go on.

    One that is there already, of the same choices, stays as it is.

    Args:
        path: of the file.
        counts: windows of "train", "valid" and "test", or of some of them.
        length: of a window, in bases: a multiple of 4,096.
        seed: a whole number from 0 up; the same one makes the same file.
        progress: whether to show a progress bar.

    Raises:
        SimulationError: for a length or a seed that cannot be.
        WindowError: for counts that cannot be, or a file that was begun or made with other choices.
        OSError: if the file cannot be written; see :func:`course_utils.hdf5_making.make_file` (lesson 10).
    """
    check_whole("the seed", seed, 0)
    rules = rules_for(length)
    # numbers that are no split's: zeros at the end of a list of seeds change nothing
    genome = make_genome(np.random.default_rng([seed, 3]), rules)
    boost = mean_boost(rules, rng=np.random.default_rng([seed, 4]))
    layout = Layout(
        counts=counts,
        length=length,
        bins=rules.bins,
        labels=rules.labels,
        swap=tuple(range(rules.tracks)),
        extras={"test": ("rate", "local_rate")},
    )

    def batches(split: str, start: int, stop: int) -> dict[str, np.ndarray]:
        rng = np.random.default_rng([seed, SPLITS.index(split), start])
        made = simulate_genome(stop - start, genome, boost=boost, rng=rng)
        windows = {"in": made.windows.one_hot, "out": made.windows.tracks}
        return windows | {"rate": made.rate, "local_rate": made.local_rate}

    manifest = {"made_by": f"course_utils {__version__}", "simulated": True, "seed": seed, "length": length}
    make_file(path, layout, batches, manifest=manifest, progress=progress)


def rules_for(length: int) -> GenomeRules:
    """The rules of a simulated genome with windows of this length: as dense with elements as those of 16,384 bases.

    Raises:
        SimulationError: for a length that is no multiple of 4,096 (lesson 10).
    """
    usual = GenomeRules()
    each = usual.length // usual.promoters  # bases to a promoter, and to an enhancer
    if check_whole("the length", length, each) % each:
        raise SimulationError(f"the length is {length}; a multiple of {each:,} is expected, the bases to a promoter")
    return GenomeRules(length=length, promoters=length // each, enhancers=length // each)


def true_rates(path: str | Path) -> dict[str, np.ndarray]:
    """The expected counts of the test windows, ``(N, bins, T)`` float32: "true rates", and the "local rates".

    The local ones are what can be known from 8 bins to either side. A file without them gives an empty dict.

    Raises:
        WindowError: for a file that is damaged or of another kind.
        FileNotFoundError: if there is no such file (lesson 10).
    """
    found = {"true rates": read_array(path, "test_rate"), "local rates": read_array(path, "test_local_rate")}
    return {name: rates for name, rates in found.items() if rates is not None}


class SyntheticCeilings(NamedTuple):
    """The Pearson r that the expected counts reach on the test windows, for each track ``(T,)``.

    Attributes:
        r: of the true rates, which no network exceeds.
        local_r: of the local rates: who sees 8 bins to either side does not exceed it.
    """

    r: np.ndarray
    local_r: np.ndarray


def ceilings(path: str | Path) -> SyntheticCeilings:
    """The best scores that a network can reach on the test windows of a file that :func:`make_synthetic` made.

    Raises:
        WindowError: for a file that is damaged, of another kind, or without the rates.
        FileNotFoundError: if there is no such file (lesson 10).
    """
    rates = true_rates(path)
    if len(rates) != 2:
        raise WindowError(
            f"{path} has no test_rate and test_local_rate; a file by make_synthetic with a test set is expected"
        )
    counts = read_array(path, "test_out")
    return SyntheticCeilings(*(pearson_per_track(counts, rates[name]) for name in ("true rates", "local rates")))


# --- the command ---------------------------------------------------------------------------------


def command_line() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m course_utils.synthetic_windows",
        description="Make an HDF5 file of simulated windows to train on. Broken off, the same command goes on where it "
        "was.",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    parser.add_argument("out", type=Path, help="the HDF5 file to make")
    for split, count in COUNTS.items():
        parser.add_argument(f"--{split}", type=int, default=count, metavar="N", help=f"windows of the {split} set")
    parser.add_argument("--length", type=int, default=131_072, help="bases of a window")
    parser.add_argument("--seed", type=int, default=1, help="of all random numbers")
    return parser


def main(arguments: list[str] | None = None) -> int:
    chosen = command_line().parse_args(arguments)
    there = " is there already" if chosen.out.exists() else ""
    try:
        counts = {split: getattr(chosen, split) for split in COUNTS}
        make_synthetic(chosen.out, counts=counts, length=chosen.length, seed=chosen.seed)
        best = ceilings(chosen.out)
    except (ValueError, OSError) as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("broken off; the same command goes on from here", file=sys.stderr)
        return 130
    said = ", ".join(f"{count:,} {split}" for split, count in counts.items())
    print(
        f"{chosen.out}{there}: {said} windows of {chosen.length:,} bases; on the test set no network exceeds r = "
        f"{best.r.mean():.3f}, and none that sees 8 bins to either side {best.local_r.mean():.3f}"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
