"""What the set-up cell of every lesson calls, and the check of the reader's environment (lesson 00).

Settings that concern the whole notebook, such as threads, device and the style of figures, are made here and
nowhere else; importing the package changes nothing.
"""

import os
import platform
import sys
from dataclasses import dataclass
from importlib import metadata

from packaging.requirements import Requirement

import course_utils

#: Figures look alike in all lessons: the base colours first, no needless frame, readable letters. Each colour of the
#: cycle stands out on white paper (contrast 3 or more) and from the others with any colour vision.
STYLE = {
    "axes.grid": True,
    "axes.prop_cycle": "cycler('color', ['#0072B2', '#D55E00', '#009E73', '#B0508A', '#4C1C00'])",
    "axes.spines.right": False,
    "axes.spines.top": False,
    "figure.figsize": (7, 3.2),
    "font.size": 11,
    "grid.alpha": 0.3,
    "legend.frameon": False,
}


def set_up() -> str:
    """Prepare a lesson, print the versions at work, and return the device: "cuda", "mps" or "cpu".

    torch and numpy get one thread on the CPU: it is as good as two for the small networks here, gives
    the same sums however many cores there are, and leaves the others to their owners.

    Source: lesson 00.
    """
    # Read when torch and numpy's BLAS load, which is why the set-up cell comes first: how many
    # threads, and that one which waits sleeps and does not slow down its neighbours.
    for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
        os.environ.setdefault(variable, "1")
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    import matplotlib
    import torch

    torch.set_num_threads(1)
    matplotlib.rcParams.update(STYLE)
    device = find_device()
    names = {"cuda": "a CUDA GPU", "mps": "an Apple GPU", "cpu": "the CPU"}
    print(
        f"course_utils {course_utils.__version__}, Python {platform.python_version()}, "
        f"torch {torch.__version__}, numpy {metadata.version('numpy')}; "
        f"networks run on {names[device]} ({device})"
    )
    return device


def find_device() -> str:
    """The best device that torch can use here: "cuda", "mps" (Apple), or else "cpu"."""
    import torch

    if torch.cuda.is_available():
        return "cuda"
    if torch.backends.mps.is_available():
        return "mps"
    return "cpu"


@dataclass(frozen=True)
class Finding:
    """One package: the range the lessons need, the version found (or None), and whether it fits."""

    package: str
    needed: str
    found: str | None
    fits: bool


def check_environment() -> list[Finding]:
    """Hold every package the lessons need against what is installed (lesson 00)."""
    findings = []
    for line in metadata.requires("course-utils") or []:
        requirement = Requirement(line)
        if requirement.marker and not requirement.marker.evaluate({"extra": ""}):
            continue
        try:
            found = metadata.version(requirement.name)
        except metadata.PackageNotFoundError:
            found = None
        fits = found is not None and requirement.specifier.contains(found, prereleases=True)
        findings.append(Finding(requirement.name, str(requirement.specifier), found, fits))
    return findings


def explain_environment(findings: list[Finding]) -> str:
    """Say in plain words what is missing and how to mend it (lesson 00)."""
    wrong = [finding for finding in findings if not finding.fits]
    if not wrong:
        return f"All {len(findings)} packages that the lessons need are here, in versions that fit."
    lines = [
        f"{finding.package}: {'found ' + finding.found if finding.found else 'not installed'}, "
        f"needed {finding.needed}"
        for finding in wrong
    ]
    names = " ".join(f'"{finding.package}{finding.needed}"' for finding in wrong)
    lines.append(f"To mend it, run this in a cell and restart the kernel:  %pip install {names}")
    lines.append(f"(This notebook runs in {sys.executable}.)")
    return "\n".join(lines)
