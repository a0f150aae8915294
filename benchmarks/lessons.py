"""How long each lesson takes to run and how much memory its kernel needs, next to the seconds that its head states.

    python benchmarks/lessons.py [RUNS]

Whole executions in a fresh kernel, start of the kernel included. Printed are the median and the slowest of RUNS (3), and
the largest memory that any run's kernel held at a time; where a lesson starts other processes, the largest of these
alone if it is more. A table in Markdown. Linux and macOS only.
"""

import sys
import time
from pathlib import Path
from statistics import median

import nbformat

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tools"))
import lessons  # noqa: E402

#: Linux counts in KiB, macOS in bytes.
PEAK = """\
import resource, sys
print(max(resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
      * (1 if sys.platform == "darwin" else 1024))"""


def run(entry: dict) -> tuple[float, int]:
    """Run a lesson; returns its seconds, and the bytes of memory that it held at most."""
    book = lessons.notebook_from_source(entry)
    book.cells.append(nbformat.v4.new_code_cell(PEAK))
    start = time.perf_counter()
    done = lessons.execute(book)
    return time.perf_counter() - start, int(done.cells[-1].outputs[0].text)


if __name__ == "__main__":
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 3
    print(f"| lesson, runs: {runs} | median seconds | slowest | stated | memory, MB |\n|---|--:|--:|--:|--:|")
    for entry in lessons.lessons():
        seconds, peaks = zip(*(run(entry) for _ in range(runs)))
        print(
            f"| {entry['name'][:2]} {entry['title']} | {median(seconds):.1f} | {max(seconds):.1f} "
            f"| {entry['seconds']} | {max(peaks) / 1e6:.0f} |"
        )
