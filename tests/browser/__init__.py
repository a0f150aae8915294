"""The browser harness: lessons in JupyterLab, driven in headless Chromium as a reader drives them.

``jupyter`` starts JupyterLab on this machine only; ``lesson`` opens a lesson there, runs it and
notes every complaint of browser and kernel; ``explorer`` finds the explorers of a lesson and moves
their controls by keyboard; ``accessibility`` runs axe-core there; ``page.js`` is the part that runs
inside the page, where time is measured. Tests (test_explorers_in_browser.py), the benchmark
(benchmarks/explorers.py) and the screenshots (tools/shots.py) all go through here.
"""

from browser.accessibility import Audit, audit, broken_rules, show_messages
from browser.explorer import Control, Explorer, Move, percentile
from browser.jupyter import JupyterLab, jupyterlab
from browser.lesson import OpenLesson, chromium, find_chromium, open_lesson

__all__ = [
    "Audit",
    "Control",
    "Explorer",
    "JupyterLab",
    "Move",
    "OpenLesson",
    "audit",
    "broken_rules",
    "chromium",
    "find_chromium",
    "jupyterlab",
    "open_lesson",
    "percentile",
    "show_messages",
]
