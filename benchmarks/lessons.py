"""How long each lesson takes to run, next to what its header and the README say.

    python benchmarks/lessons.py [RUNS]

Whole executions in a fresh kernel, start of the kernel included; the median of RUNS (3) is printed.
"""

import sys
import time
from pathlib import Path
from statistics import median

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tools"))
import lessons  # noqa: E402


def seconds(entry: dict) -> float:
    start = time.perf_counter()
    lessons.execute(lessons.notebook_from_source(entry))
    return time.perf_counter() - start


if __name__ == "__main__":
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 3
    print(f"{'lesson':28}{'median s':>10}{'slowest s':>11}{'stated s':>10}")
    for entry in lessons.lessons():
        taken = [seconds(entry) for _ in range(runs)]
        print(f"{entry['name']:28}{median(taken):10.1f}{max(taken):11.1f}{entry['seconds']:10}")
