"""A reader in Colab: the published collection, installed by the set-up cell of a lesson."""

import atexit
import shutil
import sys
import tempfile
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import environments
import nbformat
from executing import execute, only, printed


@dataclass(frozen=True)
class ColabReader:
    """What stands on a reader's machine after the first cell has run.

    Attributes:
        python: interpreter of the layer over the replica into which the cell installed the package.
        repository: the published copy of the working tree.
        before: package -> version before the first cell ran.
        after: the same after it.
        said: what the first cell printed.
    """

    python: Path
    repository: Path
    before: dict[str, str]
    after: dict[str, str]
    said: str

    def last_cell(self) -> nbformat.NotebookNode:
        """A cell that fails unless it runs in this Colab, on the package that the first cell installed."""
        return nbformat.v4.new_code_cell(
            "import sys, course_utils\n"
            'assert "google.colab" in sys.modules, "not in Colab"\n'
            f"assert course_utils.__file__.startswith({str(self.python.parents[1])!r}), course_utils.__file__"
        )


def published(folder: Path) -> Path:
    """A git repository of the working tree in `folder`, published under its own address."""
    environments.copy_of_the_tree(folder)
    environments.run(sys.executable, "tools/lessons.py", "publish", folder.as_uri(), cwd=folder)
    environments.commit(folder)
    return folder


@cache
def colab_reader() -> ColabReader:
    """Publish the working tree, and run the first cell of a published lesson in Colab's replica."""
    place = Path(tempfile.mkdtemp(prefix="course-colab-")).resolve()
    atexit.register(shutil.rmtree, place, ignore_errors=True)
    repository = published(place / "repository")
    python = environments.layer(environments.colab_replica(), place / "layer")
    before = environments.freeze(python)
    lesson = min((repository / "notebooks").glob("[0-9]*.ipynb"))
    first_cell = only(nbformat.read(lesson, as_version=4), "set-up")
    kernels = environments.kernel_spec(place / "jupyter", python, colab=True)
    said = printed(execute(first_cell, kernels, place))
    return ColabReader(python, repository, before, environments.freeze(python), said)
