"""The built wheel is whole: it runs the lessons in an empty folder, far from the checkout."""

import sys
import zipfile
from pathlib import Path

import environments
import nbformat
import pytest
from dependencies import quick
from executing import execute, printed
from reading import NAMES, ROOT, without_missing_data

PIP = [sys.executable, "-m", "pip", "--quiet"]


@pytest.fixture(scope="module")
def tree(tmp_path_factory) -> Path:
    """A copy of the working tree: building in the checkout would leave folders there."""
    return environments.copy_of_the_tree(tmp_path_factory.mktemp("tree"))


@pytest.fixture(scope="module")
def wheel(tree, tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    environments.run(*PIP, "wheel", "--no-deps", "--wheel-dir", folder, tree)
    [path] = folder.glob("*.whl")
    return path


@pytest.fixture(scope="module")
def installed(wheel, tmp_path_factory) -> Path:
    """A folder with nothing but the unpacked wheel."""
    folder = tmp_path_factory.mktemp("installed")
    environments.run(*PIP, "install", "--no-deps", "--target", folder, wheel)
    return folder


def test_the_wheel_carries_package_data_and_licences_and_nothing_else(tree, wheel):
    names = set(zipfile.ZipFile(wheel).namelist())
    package = {
        path.relative_to(tree).as_posix() for path in (tree / "course_utils").rglob("*.py")
    }
    data = {f"course_utils/data/{path.name}" for path in (tree / "data").iterdir()}
    assert package | data <= names
    about = {name for name in names if ".dist-info/" in name}
    assert names - about == package | data
    assert {"LICENSE", "LICENSE-TEXT"} <= {name.split("/")[-1] for name in about}


@pytest.mark.parametrize("name", NAMES)
def test_a_lesson_runs_from_the_wheel_in_an_empty_folder(name, installed, tmp_path):
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    # The layer sees the packages of this environment, but not the checkout that is installed in it.
    python = environments.layer(Path(sys.executable), tmp_path / "layer")
    kernels = environments.kernel_spec(
        tmp_path / "jupyter", python, [environments.OFFLINE, installed]
    )
    lesson = nbformat.read(ROOT / "notebooks" / f"{name}.ipynb", as_version=4)
    look = "import sys, course_utils\nprint(course_utils.__file__, *sys.path, sep='\\n')"
    lesson.cells.append(nbformat.v4.new_code_cell(look))
    ran = execute(quick(without_missing_data(lesson)), kernels, elsewhere)
    place, *path = ran.cells[-1].outputs[0].text.splitlines()
    assert Path(place).is_relative_to(installed)
    assert str(ROOT) not in path
    assert list(elsewhere.iterdir()) == [], "the lesson left files behind"
