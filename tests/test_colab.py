"""In Colab, the first cell installs the package, touches nothing else, and all lessons run.

"Colab" is its versions of the packages (all but torch) with a stand-in for ``google.colab``. Where there is a
browser, the lessons run in it: test_explorers_in_browser.py opens each under ipywidgets 7, which is this Colab.
"""

import sys
from pathlib import Path

import environments
import nbformat
import pytest
from browser import find_chromium
from colab_reader import colab_reader
from dependencies import quick
from executing import execute, printed
from nbclient.exceptions import CellExecutionError
from reading import NAMES, ROOT, without_missing_data

sys.path.insert(0, str(ROOT / "tools"))
import lessons  # noqa: E402

#: The lessons that run without a browser: one, or all if there is none.
ALONE = NAMES if find_chromium() is None else NAMES[:1]


def test_the_replica_has_the_versions_of_colab():
    replica = environments.colab_replica()
    found = environments.freeze(replica)
    assert found == environments.recorded(replica), "something was installed into the replica"
    for name, line in environments.requirements(environments.TESTS / "colab_versions.txt").items():
        if name != "torch":
            assert f"{name}=={found[name]}" == line
    assert not {"course-utils", "biopython", "captum"} & found.keys()


def test_another_version_of_a_package_would_be_noticed(tmp_path):
    python = environments.layer(environments.colab_replica(), tmp_path / "layer")
    [site] = (tmp_path / "layer").rglob("site-packages")
    (site / "numpy-0.0.1.dist-info").mkdir()
    about = "Metadata-Version: 2.1\nName: numpy\nVersion: 0.0.1\n"
    (site / "numpy-0.0.1.dist-info/METADATA").write_text(about)
    assert environments.freeze(python)["numpy"] == "0.0.1"


def test_the_first_cell_changes_no_package_that_colab_has():
    reader = colab_reader()
    changed = {
        name: (version, reader.after.get(name))
        for name, version in reader.before.items()
        if reader.after.get(name) != version
    }
    assert changed == {}


def test_the_first_cell_adds_the_course_biopython_and_captum_and_no_more():
    reader = colab_reader()
    assert reader.after.keys() - reader.before.keys() == {"course-utils", "biopython", "captum"}
    assert reader.repository.as_uri() in reader.after["course-utils"]


def test_the_first_cell_reports_the_device_and_versions():
    reader = colab_reader()
    assert f"torch {reader.after['torch']}" in reader.said
    assert f"numpy {reader.after['numpy']}" in reader.said
    assert any(f"({device})" in reader.said for device in ("cpu", "cuda", "mps"))


def test_an_unpublished_copy_says_that_it_cannot_be_installed(tmp_path):
    cell = nbformat.v4.new_code_cell(lessons.set_up_cell(""))
    first_cell = nbformat.v4.new_notebook(cells=[cell])
    python = environments.layer(environments.colab_replica(), tmp_path / "layer")
    kernels = environments.kernel_spec(tmp_path / "jupyter", python, colab=True)
    with pytest.raises(CellExecutionError, match="not published"):
        execute(first_cell, kernels, tmp_path)


def colab_runs(book: nbformat.NotebookNode, folder) -> nbformat.NotebookNode:
    """Run a notebook as Colab does, without network."""
    reader = colab_reader()
    kernels = environments.kernel_spec(
        folder / "jupyter", reader.python, [environments.OFFLINE], colab=True
    )
    return execute(book, kernels, folder)


@pytest.mark.parametrize("name", ALONE)
def test_a_lesson_runs_to_its_end_in_colab_without_network(name, tmp_path):
    lesson = nbformat.read(colab_reader().repository / "notebooks" / f"{name}.ipynb", as_version=4)
    lesson.cells.append(colab_reader().last_cell())
    colab_runs(quick(without_missing_data(lesson)), tmp_path)


def test_a_lesson_that_runs_elsewhere_would_be_noticed(tmp_path):
    last = nbformat.v4.new_notebook(cells=[colab_reader().last_cell()])
    here = environments.kernel_spec(tmp_path / "here", Path(sys.executable), colab=True)
    with pytest.raises(CellExecutionError) as caught:
        execute(last, here, tmp_path)
    assert Path(caught.value.evalue).parent.name == "course_utils"
    plain = environments.kernel_spec(tmp_path / "plain", colab_reader().python)
    with pytest.raises(CellExecutionError) as caught:
        execute(last, plain, tmp_path)
    assert caught.value.evalue == "not in Colab"
