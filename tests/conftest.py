"""Options and rules of the whole test run: skips that count, data, and a blocked network."""

import os

import environments
import pytest
from nbval.plugin import IPyNbCell
from reading import NAMES, OFFLINE, compared, needed_data, why_unavailable


def pytest_addoption(parser):
    parser.addoption(
        "--forbid-skips", action="store_true", help="a skipped test is a failure (used by .ci/run)"
    )


@pytest.fixture(scope="module")
def one_thread():
    """As in the lessons: small networks gain nothing from a second thread."""
    import torch  # most tests do without it

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


# --- lessons' cells under nbval ------------------------------------------------------------------


def pytest_collection_modifyitems(items):
    """Fetch what the lessons' cells need; skip those whose data is not to be had, with the reason.

    Tests in Colab's replica come last: it takes minutes to build, which pass while others run.
    """
    items.sort(key=_needs_replica)  # keeps the order otherwise
    for item in items:
        if isinstance(item, IPyNbCell):
            for reason in filter(None, map(why_unavailable, needed_data(item.cell))):
                item.add_marker(pytest.mark.skip(reason=reason))


def _needs_replica(item) -> bool:
    return item.path.name in ("test_colab.py", "test_explorers_in_browser.py")


def pytest_collection_finish(session):
    if any(map(_needs_replica, session.items)) and not session.config.option.collectonly:
        environments.begin_colab_replica()


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item):
    """Kernels that nbval starts find no network; other tests choose their environment themselves."""
    paths = [path for path in os.environ.get("PYTHONPATH", "").split(os.pathsep) if path]
    paths = [path for path in paths if path != str(OFFLINE)]
    if isinstance(item, IPyNbCell):
        paths.insert(0, str(OFFLINE))
    os.environ["PYTHONPATH"] = os.pathsep.join(paths)


# --- the end of the run --------------------------------------------------------------------------


def pytest_terminal_summary(terminalreporter, config):
    terminalreporter.section("cells that nbval compares")
    for name in NAMES:
        worth, all_cells = compared(name)
        terminalreporter.write_line(f"{name}: {worth} of {all_cells} ({worth / max(all_cells, 1):.1%})")
    if config.getoption("--forbid-skips") and terminalreporter.stats.get("skipped"):
        terminalreporter.write_line("skipped tests count as failures in this run", red=True)


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session):
    if session.config.getoption("--forbid-skips"):
        reporter = session.config.pluginmanager.get_plugin("terminalreporter")
        if reporter.stats.get("skipped") and session.exitstatus == pytest.ExitCode.OK:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED
