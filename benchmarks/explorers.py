"""How long each explorer takes from a key press to the repainted picture, in a real browser.

    python benchmarks/explorers.py [--plain] [LESSON ...]

Opens each lesson in JupyterLab in headless Chromium, as a reader sees it, and moves every control
of every explorer by keyboard. The clock runs inside the page, from the key event until the frame
with the new picture is on the screen. A busy machine shows in these numbers: run it alone.
JupyterLab is started as `make lab` does; ``--plain`` starts it as it comes, where some messages wait
for the confirmation of the one before (course_utils.server).
"""

import os
import sys
import tempfile
from pathlib import Path
from statistics import median

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests"))

from browser import chromium, find_chromium, jupyterlab, open_lesson, percentile  # noqa: E402
from executing import copy_lessons  # noqa: E402
from reading import NAMES, tagged  # noqa: E402

RUNS, MOVES = 5, 10


def main(names: list[str]) -> None:
    """Print one line per control: the median of the runs' medians, and the p95 of all moves."""
    prompt = "--plain" not in names
    names = [name for name in names if name != "--plain"]
    if find_chromium() is None:
        print("not run: there is no Chromium or Chrome here (COURSE_CHROMIUM may name one)")
        return
    print(f"key to repainted picture, {RUNS} runs of {MOVES} moves, {os.cpu_count()} cores")
    print(f"{'lesson':24} {'explorer':>8} {'control':20} {'median ms':>9} {'p95 ms':>7}")
    with tempfile.TemporaryDirectory() as place:
        lessons = copy_lessons(ROOT / "notebooks", Path(place, "lessons"))
        with jupyterlab(lessons, Path(place), prompt=prompt) as lab, chromium() as browser:
            for name in names or NAMES:
                if expected := len(tagged(name, "explorer")):
                    with open_lesson(browser, lab, f"{name}.ipynb") as lesson:
                        lesson.run()
                        for explorer in lesson.explorers(expected):
                            measure(name, explorer)


def measure(name, explorer) -> None:
    """Measure the controls of one explorer; buttons have no way back and are left out."""
    for control in explorer.controls:
        if control.kind == "button":
            continue
        runs = [explorer.latencies(control, MOVES) for _ in range(RUNS)]
        place = f"{name:24} {explorer.number + 1:>8} {control.label:20}"
        if all(runs):
            middle = median(median(run) for run in runs)
            print(f"{place} {middle:9.1f} {percentile(sum(runs, []), 95):7.1f}", flush=True)
        else:
            print(f"{place} does not change the picture", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
