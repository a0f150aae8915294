"""The built wheel is whole: it builds the lessons in an empty folder, far from the checkout, byte for byte."""

import sys
import zipfile
from pathlib import Path

import environments
import nbformat
import pytest
from dependencies import quick
from reading import NAMES, ROOT, without_missing_data

sys.path.insert(0, str(ROOT / "tools"))
import lessons  # noqa: E402

#: Where the package comes from, as the last cell of a lesson.
LOOK = "import sys, course_utils\nprint(course_utils.__file__, *sys.path, sep='\\n')"
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


@pytest.fixture(scope="module")
def kernels(installed, tmp_path_factory) -> Path:
    """Kernels that have this environment's packages, the wheel's in place of the checkout's, and no network."""
    folder = tmp_path_factory.mktemp("jupyter")
    # The layer sees the packages of this environment, but not the checkout that is installed in it.
    python = environments.layer(Path(sys.executable), folder / "layer")
    return environments.kernel_spec(folder, python, [environments.OFFLINE, installed])


@pytest.mark.parametrize("name", NAMES)
def test_a_second_build_from_the_wheel_changes_no_byte_and_leaves_nothing_behind(
    name, installed, kernels, monkeypatch
):
    """Built once more, in an empty folder far from the checkout, a lesson is the same: so the wheel lacks nothing
    and no build depends on the run. (Less the slow cells; whether outputs are those saved is asked by nbval.)"""

    def state():
        return environments.run("git", "status", "--porcelain", cwd=ROOT).stdout

    def build(*more):
        book = quick(without_missing_data(lessons.notebook_from_source(entry)))
        book.cells.extend(more)
        return lessons.execute(book)  # which refuses what leaves files in its folder

    [entry] = [entry for entry in lessons.lessons() if entry["name"] == name]
    before = state()
    here = build()
    monkeypatch.setenv("JUPYTER_PATH", str(kernels))
    elsewhere = build(nbformat.v4.new_code_cell(LOOK))
    place, *path = elsewhere.cells.pop().outputs[0].text.splitlines()
    assert Path(place).is_relative_to(installed)
    assert str(ROOT) not in path
    assert lessons.dump(here) == lessons.dump(elsewhere)
    assert state() == before
