"""Binder turns environment.yml into an image in which the lessons run.

Binder's builder is repo2docker, which has an environment of its own here and stops where docker would begin: these
tests read the Dockerfile that it writes, and let pip read the lines that conda hands to it, from where it does. The
image itself is not built: that takes docker, conda-forge and a quarter of an hour. What conda installs is
therefore not tested, and neither is mybinder.org, its memory (2 GB at most) and its address.
"""

import json
import os
import re
import subprocess
from pathlib import Path

import environments
import nbformat
import pytest
import yaml
from reading import NAMES, ROOT

pytestmark = pytest.mark.skipif(os.name == "nt", reason="repo2docker builds Linux images, on Linux and macOS")
RENDER = ROOT / "tests/binder_render.py"
OURS = (ROOT / "environment.yml").read_text("utf-8")
COPIES_ALL = re.compile(r"^COPY .*\bsrc/ \$\{REPO_DIR\}/$", re.MULTILINE)
INSTALLS = re.compile(r'env update -p \$\{\w+\} --file "(.*?)"')


def rendered(folder: Path) -> dict:
    """What repo2docker would build of a folder; a RuntimeError with its words if it refuses."""
    done = environments.run(environments.repo2docker(), RENDER, cwd=folder)
    return json.loads(done.stdout)


def complaints(image: dict) -> list[str]:
    """Why the lessons would not run in what repo2docker would build; empty for a good image."""
    if image["build_pack"] != "CondaBuildPack":
        return [f"built by {image['build_pack']}, which does not read environment.yml"]
    found = []
    if image["environment_file"] != "environment.yml":
        found.append(f"{image['environment_file']} is read in place of environment.yml")
    if not image["one_python"]:
        found.append(f"kernels with Python {image['python']} would stand beside JupyterLab's, not in its environment")
    copied, installed = COPIES_ALL.search(image["dockerfile"]), INSTALLS.search(image["dockerfile"])
    if not copied or not installed:
        return [*found, "the repository is not copied, or its environment not installed"]
    if installed[1] != image["environment_file"]:
        found.append(f"the environment comes from {installed[1]}")
    if installed.start() < copied.start():
        found.append("the environment is installed before the repository is there")
    return found


def pip_reads(folder: Path) -> subprocess.CompletedProcess:
    """Let pip plan what the `pip:` lines of a folder's environment.yml ask for, the package alone.

    conda and mamba alike write these lines to a file beside environment.yml, and call pip from there.
    """
    named = yaml.safe_load((folder / "environment.yml").read_text("utf-8"))["dependencies"]
    [lines] = [part["pip"] for part in named if isinstance(part, dict)]
    (folder / "from_conda.txt").write_text("\n".join(lines) + "\n")
    return subprocess.run(
        [environments.repo2docker(), "-m", "pip", "install", "--dry-run", "--no-deps", "--no-index"]
        + ["--no-build-isolation", "--disable-pip-version-check", "-r", "from_conda.txt"],
        cwd=folder, capture_output=True, text=True,
    )  # fmt: skip


@pytest.fixture(scope="module")
def tree(tmp_path_factory) -> Path:
    """A copy of the working tree, as Binder would clone it."""
    return environments.copy_of_the_tree(tmp_path_factory.mktemp("clone"))


@pytest.fixture(scope="module")
def image(tree) -> dict:
    return rendered(tree)


@pytest.fixture
def wrong(tmp_path):
    """A folder with what the set-up needs and the environment.yml of the caller."""

    def folder(environment: str) -> Path:
        for name in ("constraints.txt", "pyproject.toml", "README.md", "LICENSE", "LICENSE-TEXT"):
            (tmp_path / name).write_text((ROOT / name).read_text("utf-8"), "utf-8")
        for name in ("course_utils", "data"):
            (tmp_path / name).symlink_to(ROOT / name)
        (tmp_path / "environment.yml").write_text(environment)
        return tmp_path

    return folder


# --- the image -----------------------------------------------------------------------------------


def test_the_conda_build_pack_installs_environment_yml_once_all_its_files_are_there(image):
    assert image["build_pack"] == "CondaBuildPack"
    assert complaints(image) == []


def test_the_python_is_that_of_environment_yml_and_repo2docker_has_a_base_for_it(image):
    named = re.search(r"python=([\d.]+)$", OURS, re.MULTILINE)[1]
    assert image["python"] == named
    assert image["lists"] == [f"conda/environment.py-{named}-linux-64.lock"]


def test_the_lessons_ask_for_the_kernel_that_the_image_has(image):
    # ipykernel, in the environment of JupyterLab, brings one kernel, of this name.
    books = [nbformat.read(ROOT / "notebooks" / f"{name}.ipynb", as_version=4) for name in NAMES]
    assert {book.metadata.kernelspec.name for book in books} == {"python3"}
    assert image["one_python"]


def test_pip_finds_the_package_and_the_constraints_from_where_conda_calls_it(tree):
    # Which extras and constraints these are is held in test_setup.py.
    answer = pip_reads(tree)
    assert answer.returncode == 0, answer.stderr
    assert re.search(r"^Would install course-utils-[\d.]+$", answer.stdout, re.MULTILINE)


def test_the_file_that_the_readme_tells_binder_to_open_is_there():
    said = (ROOT / "README.md").read_text("utf-8").split("conda or Binder</b>")[1].split("</details>")[0]
    named = re.findall(r"notebooks/\w+\.ipynb", said)
    assert named and all((ROOT / name).is_file() for name in named)


# --- a broken one is noticed ---------------------------------------------------------------------


def test_a_python_that_repo2docker_has_no_base_for_is_refused(wrong):
    with pytest.raises(RuntimeError, match=r"Python version 3\.99 on linux-64 is not supported"):
        rendered(wrong(re.sub(r"python=[\d.]+", "python=3.99", OURS)))


def test_an_old_python_beside_that_of_jupyterlab_is_noticed(wrong):
    [said] = complaints(rendered(wrong(re.sub(r"python=[\d.]+", "python=3.6", OURS))))
    assert "Python 3.6 would stand beside JupyterLab's" in said


def test_lines_that_name_nothing_local_would_be_installed_before_the_repository_is_there(wrong):
    published = OURS.replace("- -c constraints.txt", "- numpy").replace("- -e .[lab,test]", "- course-utils")
    assert not re.search("- -[ce]", published)
    assert complaints(rendered(wrong(published))) == ["the environment is installed before the repository is there"]


@pytest.mark.parametrize(
    "name, words",
    [
        ("Dockerfile", "built by DockerBuildPack"),
        ("binder/environment.yml", "binder/environment.yml is read in place of environment.yml"),
    ],
)
def test_a_file_that_hides_environment_yml_is_noticed(wrong, name, words):
    folder = wrong(OURS)
    (folder / name).parent.mkdir(exist_ok=True)
    (folder / name).write_text("FROM scratch\n" if name == "Dockerfile" else OURS)
    assert words in complaints(rendered(folder))[0]


@pytest.mark.parametrize(
    "right, broken, words",
    [
        ("constraints.txt", "constrains.txt", "Could not open requirements file"),
        ("-e .[lab,test]", "-e ./package[lab,test]", "not a valid editable requirement|does not exist"),
        ("--extra-index-url", "--extra-indices", "no such option"),
    ],
)
def test_a_line_that_pip_cannot_follow_is_noticed(wrong, right, broken, words):
    answer = pip_reads(wrong(OURS.replace(right, broken)))
    assert answer.returncode and re.search(words, answer.stderr), answer
