"""How many of 80 runs of lesson 06 never leave chance: the report's second network, and the 401-parameter remedy.

    python benchmarks/primer.py

Trains all of them again, in about five minutes on one thread, and prints the counts and the 95 % intervals of the
shares beside those of data/primer_runs.json. "Never" is 30 epochs. The recipe is the file's, random numbers included;
sums are rounded in another way on another machine, which may move a count by a few. So did other numbers for the
dropout: 9 to 12 of the 80. An earlier count, from other splits and first weights, was 6 of 80 (7.5 %).
"""

import json
import sys
import time
from pathlib import Path

import torch

from course_utils.datasets import DataUnavailable, shipped
from course_utils.intervals import wilson

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tools"))
import primer_runs  # noqa: E402  (tools/ is no package: its files are commands)


def line(name: str, left: list, seconds: float | None = None) -> None:
    """Print a count and the interval of the share."""
    count, many = primer_runs.stuck(left), len(left)
    _, low, high = wilson(count, many)
    took = "" if seconds is None else f"   {seconds:5.0f} s"
    print(f"{name:44}{count:3} of {many}   {low:6.1%} to {high:6.1%}{took}", flush=True)


def main() -> None:
    torch.set_num_threads(1)
    kept = json.loads(shipped("primer_runs.json").read_text("utf-8"))
    try:
        primer_runs.read_primer()
    except DataUnavailable as error:
        print(f"left out: {error}")
        return
    print("runs that never leave chance, and the 95 % interval of their share")
    for loss in (primer_runs.squared_error, primer_runs.cross_entropy):
        name = f"second network, {loss.__name__.replace('_', ' ')}"
        line(f"{name}, file", kept["deep"][loss.__name__]["left"])
        start = time.perf_counter()
        left = primer_runs.deep_runs(loss)["left"]
        line(f"{name}, here", left, time.perf_counter() - start)
    line("remedy, file", kept["detector"]["left"])
    start = time.perf_counter()
    found = primer_runs.detector_runs()
    line("remedy, here", found["left"], time.perf_counter() - start)
    print(f"AUC of the remedy: lowest {min(found['auc']):.4f}, in the file {min(kept['detector']['auc']):.4f}")


if __name__ == "__main__":
    main()
