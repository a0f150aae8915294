"""The set-up of a lesson: it prints what works here, and finds what is missing."""

import re
import sys
from importlib import metadata

import pytest

import course_utils
from course_utils import notebook
from course_utils.notebook import check_environment, explain_environment


@pytest.fixture
def settings_kept(monkeypatch):
    """`set_up` changes settings of the process on purpose; give them back after the test."""
    import matplotlib
    import torch

    monkeypatch.setenv("OMP_WAIT_POLICY", "ACTIVE")
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    monkeypatch.setenv("OPENBLAS_NUM_THREADS", "3")
    threads = torch.get_num_threads()
    with matplotlib.rc_context():
        yield
    torch.set_num_threads(threads)


# --- set_up --------------------------------------------------------------------------------------


def test_set_up_prints_one_line_with_versions_and_device_and_returns_the_device(
    settings_kept, capsys
):
    import torch

    device = notebook.set_up()
    assert device == notebook.find_device()
    said = capsys.readouterr().out
    assert said.count("\n") == 1
    for words in (course_utils.__version__, torch.__version__, metadata.version("numpy")):
        assert words in said
    assert re.search(rf"networks run on .*\({device}\)", said)


def test_set_up_sets_one_thread_and_the_style_of_the_figures(settings_kept):
    import matplotlib
    import torch

    torch.set_num_threads(2)
    notebook.set_up()
    assert torch.get_num_threads() == 1
    for name, value in notebook.STYLE.items():
        if name != "axes.prop_cycle":
            assert list(_as_list(matplotlib.rcParams[name])) == list(_as_list(value)), name
    first, second, *_ = matplotlib.rcParams["axes.prop_cycle"]
    assert (first["color"], second["color"]) == ("#0072B2", "#D55E00")


def _as_list(value):
    return value if isinstance(value, (list, tuple)) else [value]


def test_set_up_leaves_the_readers_own_settings_and_random_numbers_alone(settings_kept):
    import os
    import random

    import numpy as np
    import torch

    before = random.getstate(), np.random.get_state()[1].tolist(), torch.get_rng_state().tolist()
    notebook.set_up()
    after = random.getstate(), np.random.get_state()[1].tolist(), torch.get_rng_state().tolist()
    assert before == after
    assert os.environ["OMP_WAIT_POLICY"] == "ACTIVE"  # set by the fixture, so these stay
    assert os.environ["OMP_NUM_THREADS"] == os.environ["OPENBLAS_NUM_THREADS"] == "3"


def test_set_up_gives_numpy_one_thread_when_nobody_chose(settings_kept, monkeypatch):
    import os

    for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "OMP_WAIT_POLICY"):
        monkeypatch.delenv(variable)
    notebook.set_up()
    assert os.environ["OMP_NUM_THREADS"] == os.environ["OPENBLAS_NUM_THREADS"] == "1"
    assert os.environ["OMP_WAIT_POLICY"] == "PASSIVE"


@pytest.mark.parametrize(
    "cuda, mps, device", [(True, False, "cuda"), (False, True, "mps"), (False, False, "cpu")]
)
def test_the_device_is_the_best_that_torch_offers(monkeypatch, cuda, mps, device):
    import torch

    monkeypatch.setattr(torch.cuda, "is_available", lambda: cuda)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: mps)
    assert notebook.find_device() == device


# --- the check of the environment ----------------------------------------------------------------


def test_the_environment_of_the_tests_has_all_that_the_lessons_need():
    findings = check_environment()
    assert {"numpy", "torch", "ipywidgets"} <= {finding.package for finding in findings}
    assert not {"pytest", "jupyterlab"} & {finding.package for finding in findings}, "extras"
    assert all(finding.fits for finding in findings), explain_environment(findings)
    assert explain_environment(findings).startswith(f"All {len(findings)} packages")


@pytest.fixture
def pretend(monkeypatch):
    """Make the environment look as if it needed and had other things."""

    def pretend(needs: list[str], installed: dict[str, str]):
        def version(name):
            if name not in installed:
                raise metadata.PackageNotFoundError(name)
            return installed[name]

        monkeypatch.setattr(notebook.metadata, "requires", lambda name: needs)
        monkeypatch.setattr(notebook.metadata, "version", version)

    return pretend


def test_a_missing_an_old_and_a_fitting_package_are_told_apart(pretend):
    pretend(
        ["numpy>=1.26,<3", "torch>=2.5", "tqdm>=4", 'pytest>=8; extra == "test"'],
        {"numpy": "1.25.0", "torch": "2.13.0+cpu"},
    )
    assert [(f.package, f.found, f.fits) for f in check_environment()] == [
        ("numpy", "1.25.0", False),
        ("torch", "2.13.0+cpu", True),
        ("tqdm", None, False),
    ]


def test_a_version_before_its_release_is_accepted(pretend):
    pretend(["torch>=2.5,<3"], {"torch": "2.14.0rc1"})
    assert check_environment()[0].fits


def test_what_is_wrong_comes_with_the_command_that_mends_it(pretend):
    pretend(["numpy>=1.26", "tqdm>=4", "torch>=2.5"], {"numpy": "1.25.0", "torch": "2.9"})
    said = explain_environment(check_environment())
    assert "numpy: found 1.25.0, needed >=1.26" in said
    assert "tqdm: not installed, needed >=4" in said
    assert '%pip install "numpy>=1.26" "tqdm>=4"' in said and "restart the kernel" in said
    assert "torch" not in said
    assert sys.executable in said
