"""Environments of their own for tests: what a Colab reader has, Binder's builder, copies of the working tree.

``colab_replica`` and ``repo2docker`` are built once under ``.cache/`` and used again while their pins stand.
Nothing is ever installed into them afterwards: a test puts a `layer` over the replica, an environment that
sees all its packages and writes only into itself, so that every run begins with what Colab has preinstalled.
"""

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
TESTS = ROOT / "tests"
OFFLINE = TESTS / "offline"
STAND_IN = TESTS / "colab_stand_in"

#: What Colab has beside the packages that tests/colab_versions.txt names, and the front end that
#: belongs to its ipywidgets 7: jupyterlab-widgets 1.1 (June 2022) in the JupyterLab of its time.
#: JupyterLab 3.6 would add packages that have no wheels for new Pythons; with JupyterLab 4, the old
#: front end stumbles over MathJax.
BESIDE = [
    "ipython==7.34.0",
    "jupyter-client==7.4.9",
    "jupyterlab==3.5.3",
    "jupyterlab-widgets==1.1.1",
    "nbclassic==1.3.3",
    "notebook==6.5.7",
    "pip==24.1.2",
    "widgetsnbextension==3.6.10",
]

#: What Binder turns a repository into an image with; setuptools, so that pip can read the package's own
#: metadata without fetching anything. constraints.txt has the versions of what these need.
REPO2DOCKER = ["jupyter-repo2docker==2026.4.0", "setuptools"]


# --- building ------------------------------------------------------------------------------------


def colab_replica() -> Path:
    """The interpreter of an environment with Colab's versions of all but torch.

    torch has the version of constraints.txt, so that one download serves everywhere. The Python is
    this one, for which that torch is at hand, or the one that COURSE_COLAB_PYTHON names.
    """
    return begin_colab_replica().result()


@cache
def begin_colab_replica() -> Future:
    """Begin to build the replica in the background; `colab_replica` waits for it."""
    builder = ThreadPoolExecutor(max_workers=1)
    replica = builder.submit(_colab_replica)
    builder.shutdown(wait=False)
    return replica


def _colab_replica() -> Path:
    colab = requirements(TESTS / "colab_versions.txt")
    pinned = requirements(ROOT / "constraints.txt")
    colab["torch"] = pinned["torch"]
    wanted = [*colab.values(), *BESIDE]
    named = {_name(line) for line in wanted}
    others = [line for name, line in pinned.items() if name not in named]
    python = os.environ.get("COURSE_COLAB_PYTHON", sys.executable)
    return _built("colab", wanted, others, python)


@cache
def repo2docker() -> Path:
    """The interpreter of an environment with repo2docker, which Binder builds its images with."""
    constraints = list(requirements(ROOT / "constraints.txt").values())
    return _built("repo2docker", REPO2DOCKER, constraints, sys.executable)


def requirements(path: Path) -> dict[str, str]:
    """Package name -> line of a requirements file, without comments."""
    lines = (line.split("#")[0].strip() for line in path.read_text("utf-8").splitlines())
    return {_name(line): line for line in lines if line}


def _built(name: str, wanted: list[str], constraints: list[str], python: str) -> Path:
    """The interpreter of the environment `name`, made if there is none with just these pins."""
    version = run(python, "-VV").stdout
    recipe = "\n".join([version, *wanted, "--", *constraints])
    place = ROOT / ".cache/environments"
    folder = place / f"{name}-{hashlib.sha256(recipe.encode()).hexdigest()[:12]}"
    # An environment cannot be moved once made, so the last file written says that it is whole.
    finished = folder / "finished.json"
    if not finished.exists():
        for old in place.glob(f"{name}-*"):
            shutil.rmtree(old)
        folder.mkdir(parents=True)
        (folder / "wanted.txt").write_text("\n".join(wanted))
        (folder / "constraints.txt").write_text("\n".join(constraints))
        start = time.monotonic()
        run(python, "-m", "venv", folder)
        run(
            interpreter(folder), "-m", "pip", "install", "--quiet", "--disable-pip-version-check",
            "-r", folder / "wanted.txt", "-c", folder / "constraints.txt",
        )  # fmt: skip
        report = {
            "seconds": round(time.monotonic() - start),
            "megabytes": round(size(folder) / 1e6),
            "packages": freeze(interpreter(folder)),
        }
        finished.write_text(json.dumps(report, indent=1))
    return interpreter(folder)


def layer(base: Path, folder: Path) -> Path:
    """Make an environment in `folder` over that of the interpreter `base`; returns its interpreter.

    It sees the packages of `base` as installed; what pip installs, newer versions of these
    included, goes into the layer and hides them. `freeze` shows either.
    """
    run(base, "-m", "venv", "--without-pip", folder)
    place = "import sysconfig; print(sysconfig.get_path('purelib'))"
    below = run(base, "-c", place).stdout.strip()
    above = run(interpreter(folder), "-c", place).stdout.strip()
    (Path(above) / "below.pth").write_text(f"{below}\n")
    return interpreter(folder)


def interpreter(environment: Path) -> Path:
    """The Python of a virtual environment."""
    return environment / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def freeze(python: Path) -> dict[str, str]:
    """Package -> version (or address) of all that `python` sees, pip itself included."""
    lines = run(python, "-m", "pip", "freeze", "--all").stdout.splitlines()
    found = (re.match(r"([\w.-]+)(?:==| @ )(.+)", line) for line in lines)
    return {_name(match[1]): match[2] for match in found if match}


def recorded(python: Path) -> dict[str, str]:
    """What `freeze` said when the environment of `python` was made."""
    return json.loads((python.parents[1] / "finished.json").read_text())["packages"]


def size(folder: Path) -> int:
    """Bytes of all files in a folder."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def _name(requirement: str) -> str:
    name = re.match(r"[\w.-]+", requirement)[0]
    return re.sub(r"[-_.]+", "-", name).lower()


def run(*command, **options) -> subprocess.CompletedProcess:
    """Run a command; its whole output is in the error if it fails."""
    done = subprocess.run(
        [str(word) for word in command], capture_output=True, text=True, **options
    )
    if done.returncode:
        raise RuntimeError(
            f"{' '.join(map(str, command))} ended with {done.returncode}:\n"
            f"{done.stdout}{done.stderr}"
        )
    return done


# --- kernels and copies --------------------------------------------------------------------------


def kernel_spec(
    folder: Path, python: Path, paths: Iterable[Path] = (), colab: bool = False
) -> Path:
    """Describe a kernel named "python3" below `folder`; returns the folder for JUPYTER_PATH.

    Args:
        python: what runs the kernel.
        paths: its PYTHONPATH; with OFFLINE among them, it finds no network.
        colab: whether ``google.colab`` is imported at the start, as in Colab.
    """
    command = [str(python), "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    if colab:
        command.append("--IPKernelApp.exec_lines=import google.colab")
        paths = [*paths, STAND_IN]
    spec = {
        "argv": command,
        "display_name": "Python 3",
        "language": "python",
        "env": {"PYTHONPATH": os.pathsep.join(map(str, paths))},
    }
    place = folder / "kernels/python3"
    place.mkdir(parents=True)
    (place / "kernel.json").write_text(json.dumps(spec))
    return folder


def copy_of_the_tree(folder: Path) -> Path:
    """Copy what git tracks or would track, as it stands now, into `folder`."""
    names = run("git", "ls-files", "-z", "-co", "--exclude-standard", cwd=ROOT).stdout
    for name in filter(None, names.split("\0")):
        if (ROOT / name).is_file():  # a file deleted but not yet committed is listed too
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, folder / name)
    return folder


def commit(folder: Path) -> None:
    """Make `folder` a git repository if it is none, and commit all that is in it."""
    author = ["-c", "user.name=tests", "-c", "user.email=tests@example.org"]
    run("git", "init", "--quiet", "--initial-branch=main", cwd=folder)
    run("git", "add", "--all", cwd=folder)
    run("git", *author, "commit", "--quiet", "-m", "as it stands", cwd=folder)
