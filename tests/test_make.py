"""The Makefile: an environment that is finished or not there, and a JupyterLab only for its owner."""

import contextlib
import http.client
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
MAKE = shutil.which("make")
SECONDS_TO_START = 120

pytestmark = pytest.mark.skipif(
    MAKE is None or os.name != "posix",
    reason="make is not used here; the README's commands without make are run by the workflows",
)

#: Plays Python for the Makefile: it notes what it is asked, and makes environments of itself.
STAND_IN = """\
#!/bin/sh
echo "$0 $*" >> "$LOG"
case "$*" in
    "--version") echo "Python $VERSION" ;;
    "-c "*"(3, 14)"*) test "$VERSION" != 3.9.6 -a "$VERSION" != 3.14.0 ;;
    "-c "*) test "$VERSION" != 3.9.6 ;;
    *"-m venv"*) rm -rf .venv; mkdir -p .venv/bin; cp "$0" .venv/bin/python ;;
    "-m pip --version") test "$PIP" != none ;;
    "-m pip install"*) echo "find-links=$PIP_FIND_LINKS" >> "$LOG"; test "$PIP" = good ;;
esac
"""


class Folder:
    """A checkout with nothing but what the Makefile needs to set up, and a stand-in for Python."""

    def __init__(self, path: Path):
        self.path, self.log = path, path / "log"
        for name in ("Makefile", "pyproject.toml", "constraints.txt"):
            shutil.copy(ROOT / name, path)
        self.python = path / "python"
        self.python.write_text(STAND_IN)
        self.python.chmod(0o755)

    def make(self, *arguments: str, pip: str = "good", version: str = "3.12.1"):
        stated = {"LOG": str(self.log), "PIP": pip, "VERSION": version}
        self.log.write_text("")
        return subprocess.run(
            [MAKE, *arguments, f"PYTHON={self.python}"], cwd=self.path, timeout=60,
            env={**outside_make(), "PIP_FIND_LINKS": "/some/wheels", **stated},
            capture_output=True, text=True,
        )  # fmt: skip

    def asked(self, words: str) -> int:
        """How often Python was asked for something in the last run."""
        return self.log.read_text().count(words)


def outside_make() -> dict[str, str]:
    """This process's variables without those that a make around it passes on."""
    theirs = ("MAKEFLAGS", "MFLAGS", "MAKELEVEL", "MAKEOVERRIDES", "ARGS", "PYTHON", "CONSTRAINTS")
    return {name: value for name, value in os.environ.items() if name not in theirs}


@pytest.fixture
def folder(tmp_path):
    return Folder(tmp_path)


def test_make_alone_lists_what_it_can_do(folder):
    answer = folder.make()
    targets = re.search(r"^\.PHONY: help (.*)$", (ROOT / "Makefile").read_text(), re.MULTILINE)[1]
    assert re.findall(r"^  make (\w+) +\w", answer.stdout, re.MULTILINE) == targets.split()
    assert folder.log.read_text() == ""


def test_a_python_that_is_too_old_is_named_and_nothing_is_made(folder):
    answer = folder.make("lab", version="3.9.6")
    assert answer.returncode != 0
    assert "need Python 3.11 to 3.13" in answer.stderr and "Python 3.9.6" in answer.stderr
    assert "make lab PYTHON=python3.12" in answer.stderr
    assert not (folder.path / ".venv").exists()


def test_a_python_that_the_pins_do_not_know_is_named_unless_the_newest_releases_are_asked(folder):
    answer = folder.make("env", version="3.14.0")
    assert answer.returncode != 0 and not (folder.path / ".venv").exists()
    assert "need Python 3.11 to 3.13" in answer.stderr and "Python 3.14.0" in answer.stderr
    answer = folder.make("env", "CONSTRAINTS=", version="3.14.0")
    assert answer.returncode == 0, answer.stderr


def test_a_python_that_is_not_there_is_named(folder):
    folder.python.unlink()
    answer = folder.make("test")
    assert answer.returncode != 0 and f"{folder.python} is:" in answer.stderr


def test_the_environment_is_made_once_and_again_when_a_list_changes(folder):
    assert folder.make("env").returncode == 0
    assert folder.asked("-m pip install -c constraints.txt -e .[lab,test]") == 1
    assert folder.make("env").returncode == 0
    assert folder.asked("-m") == 0
    for name in ("constraints.txt", "pyproject.toml"):
        later = time.time() + 5
        os.utime(folder.path / name, (later, later))
        folder.make("env")
        assert folder.asked("-m pip install") == 1 and folder.asked("-m venv") == 0
        os.utime(folder.path / name, (0, 0))


def test_a_half_made_environment_is_taken_up_again(folder):
    answer = folder.make("test", pip="broken")
    assert answer.returncode != 0 and "pip could not make the environment" in answer.stderr
    assert folder.asked("-m pytest") == 0
    answer = folder.make("test")
    assert folder.asked("-m pip install") == 1 and folder.asked("-m pytest") == 1


def test_an_environment_without_pip_or_python_is_made_anew(folder):
    folder.make("env", pip="none")
    folder.make("env", pip="none")
    assert folder.asked("-m venv --clear .venv") == 1
    folder.make("env")
    (folder.path / ".venv/bin/python").unlink()
    (folder.path / ".venv/bin/python").symlink_to("/nonexistent/python")
    assert folder.make("env").returncode == 0
    assert folder.asked("-m venv --clear .venv") == 1 and folder.asked("-m pip install") == 1


def test_pips_own_settings_hold(folder):
    folder.make("env")
    assert folder.asked("find-links=/some/wheels") == 1
    recipe = (ROOT / "Makefile").read_text()
    assert not re.search(r"--isolated|--(extra-)?index-url|--no-index|--find-links", recipe)


def test_newest_releases_are_installed_without_constraints(folder):
    folder.make("env", "CONSTRAINTS=")
    assert folder.asked("-m pip install -e .[lab,test]") == 1


def test_clean_leaves_the_readers_lessons(folder):
    folder.make("env")
    (folder.path / "my_lessons").mkdir()
    assert folder.make("clean").returncode == 0
    assert not (folder.path / ".venv").exists() and (folder.path / "my_lessons").exists()


def test_publish_asks_where(folder):
    answer = folder.make("publish")
    assert answer.returncode != 0 and "make publish REPOSITORY=https://" in answer.stderr
    folder.make("publish", "REPOSITORY=https://example.org/course")
    assert folder.asked("tools/lessons.py publish https://example.org/course") == 1


# --- make lab ------------------------------------------------------------------------------------


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_for_server(process: subprocess.Popen, runtime: Path, log: Path) -> dict:
    """What the running server says of itself, as soon as it answers."""
    deadline = time.monotonic() + SECONDS_TO_START
    while time.monotonic() < deadline and process.poll() is None:
        with contextlib.suppress(OSError, ValueError, StopIteration):
            server = json.loads(next(runtime.glob("jpserver-*.json")).read_text())
            socket.create_connection(("127.0.0.1", server["port"]), timeout=5).close()
            return server
        time.sleep(0.1)
    raise AssertionError(f"make lab did not start JupyterLab:\n{log.read_text()}")


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    """`make lab ARGS=--no-browser` in this checkout, with a reader's folder and settings of its own."""
    if subprocess.run([MAKE, "-q", "env"], cwd=ROOT, env=outside_make()).returncode:
        pytest.skip("the environment of make is not made or not up to date: run `make env`")
    home = tmp_path_factory.mktemp("home")
    variables = {name: text for name, text in outside_make().items() if "JUPYTER" not in name}
    for name in ("CONFIG_DIR", "DATA_DIR", "RUNTIME_DIR"):
        variables[f"JUPYTER_{name}"] = str(home / name.lower())
    port, log = free_port(), home / "log"
    command = [MAKE, "lab", f"LESSONS_COPY={home / 'lessons'}"]
    with log.open("w") as stream:
        process = subprocess.Popen(
            [*command, f"ARGS=--no-browser --ServerApp.port={port} --ServerApp.port_retries=0"],
            cwd=ROOT, env=variables, start_new_session=True,
            stdin=subprocess.DEVNULL, stdout=stream, stderr=subprocess.STDOUT,
        )  # fmt: skip
    try:
        yield wait_for_server(process, home / "runtime_dir", log) | {"log": log, "home": home}
    finally:
        for how in (signal.SIGTERM, signal.SIGKILL):
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, how)
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(20)


def ask(lab: dict, path: str, token: str = "") -> http.client.HTTPResponse:
    connection = http.client.HTTPConnection("127.0.0.1", lab["port"], timeout=30)
    connection.request("GET", path, headers={"Authorization": f"token {token}"} if token else {})
    return connection.getresponse()


def test_jupyterlab_answers_only_with_its_token(lab):
    assert re.fullmatch(r"[0-9a-f]{48}", lab["token"]) and not lab["password"]
    assert ask(lab, f"/lab?token={lab['token']}").status == 200
    assert ask(lab, "/api/contents", lab["token"]).status == 200
    for path in ("/lab", "/lab/tree/00_start_here.ipynb", "/lab?token=wrong"):
        answer = ask(lab, path)
        assert answer.status == 302 and answer.headers["Location"].startswith("/login"), path
    for path in ("/api/contents", "/api/kernels", "/api/terminals", "/files/00_start_here.ipynb"):
        assert ask(lab, path).status in (302, 403) and ask(lab, path, "wrong").status in (302, 403)
    assert ask(lab, "/api/contents").status == 403


def the_server(lab: dict):
    psutil = pytest.importorskip("psutil", "6.0", reason="psutil 6, which ipykernel brings")
    return psutil.Process(lab["pid"])


def test_jupyterlab_listens_on_this_machine_only(lab):
    connections = the_server(lab).net_connections(kind="tcp")
    listening = {found.laddr for found in connections if found.status == "LISTEN"}
    assert ("127.0.0.1", lab["port"]) in listening
    assert {address.ip for address in listening} == {"127.0.0.1"}
    for other in ("127.0.0.2", "::1"):
        with pytest.raises(OSError):
            socket.create_connection((other, lab["port"]), timeout=2)


def test_jupyterlab_opens_the_first_lesson(lab):
    first = re.search(r"default_url=(\S+)", (ROOT / "Makefile").read_text())[1]
    answer = ask(lab, f"/?token={lab['token']}")
    assert answer.status == 302
    assert answer.headers["Location"].split("?")[0] == first
    assert f"http://127.0.0.1:{lab['port']}{first}?token={lab['token']}" in lab["log"].read_text()
    name = first.rsplit("/", 1)[1]
    assert name == sorted(path.name for path in (ROOT / "notebooks").glob("*.ipynb"))[0]
    opened = json.loads(ask(lab, f"/api/contents/{name}", lab["token"]).read())
    assert opened["type"] == "notebook" and opened["writable"]


def test_jupyterlab_shows_the_readers_copy_of_every_lesson(lab):
    shown = json.loads(ask(lab, "/api/contents", lab["token"]).read())["content"]
    lessons = [path.name for path in (ROOT / "notebooks").glob("*.ipynb")]
    assert sorted(entry["name"] for entry in shown) == sorted([*lessons, "glossary.md"])
    assert Path(lab["root_dir"]) == lab["home"] / "lessons"


def test_commands_of_lessons_are_found_in_the_environment_that_make_made(lab):
    path = the_server(lab).environ()["PATH"].split(os.pathsep)
    assert Path(path[0]) == ROOT / ".venv/bin"
