"""JupyterLab for one run: own folder, own settings, a token, this machine only."""

import contextlib
import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

#: Major version of JupyterLab -> page of the settings editor -> what differs from the defaults:
#: nobody is asked about news.
SETTINGS = {
    3: {},
    4: {
        "apputils-extension/notification": {
            "fetchNews": "false",
            "checkForUpdates": False,
            "doNotDisturbMode": True,
        },
    },
}
#: The same for a page that shows all cells at once, for screenshots: slower for a reader.
WHOLE = {
    3: {"notebook-extension/tracker": {"numberCellsToRenderDirectly": 9999}},
    4: {"notebook-extension/tracker": {"windowingMode": "none"}},
}
#: Options that only the newer majors know; JupyterLab refuses to start over an unknown one.
OPTIONS = {3: [], 4: ["--LabApp.news_url=None", "--LabApp.extension_manager=readonly"]}
#: What `make lab` adds, so that no message waits for the confirmation of the one before.
PROMPT = "--ServerApp.kernel_websocket_connection_class=course_utils.server.PromptConnection"
SECONDS_TO_START = 60


@dataclass(frozen=True)
class JupyterLab:
    """A running server; `folder` is what it shows."""

    address: str
    token: str
    folder: Path
    major: int

    def page(self, notebook: str) -> str:
        """The address of one notebook of the folder, alone on its page."""
        # Without a reset, notebooks that were open before come back in tabs behind this one.
        return f"{self.address}/doc/tree/{notebook}?token={self.token}&reset"


@contextlib.contextmanager
def jupyterlab(
    folder: Path,
    home: Path,
    python: str = sys.executable,
    environment: dict[str, str] | None = None,
    whole: bool = False,
    prompt: bool = False,
) -> Iterator[JupyterLab]:
    """Serve `folder` with the JupyterLab of the interpreter `python` while the context lasts.

    Args:
        folder: what the server shows, with the notebooks.
        home: an empty folder for settings, runtime files and the server's log.
        python: an interpreter that has JupyterLab.
        environment: variables for the server and its kernels, over those of this process.
        whole: show all cells at once, also those far from what is seen.
        prompt: with the connection that `make lab` uses (course_utils.server).
    """
    major = _major(python)
    _write_settings(home / "settings", SETTINGS[major] | (WHOLE[major] if whole else {}))
    port, token = _free_port(), secrets.token_hex(16)
    variables = {
        **os.environ,
        # The reader's own settings and start-up files stay out of the way, and untouched.
        "JUPYTER_CONFIG_DIR": str(home / "config"),
        "JUPYTER_DATA_DIR": str(home / "data"),
        "JUPYTER_RUNTIME_DIR": str(home / "runtime"),
        "JUPYTERLAB_SETTINGS_DIR": str(home / "settings"),
        "JUPYTERLAB_WORKSPACES_DIR": str(home / "workspaces"),
        "IPYTHONDIR": str(home / "ipython"),
        "JUPYTER_TOKEN": token,
        **(environment or {}),
    }
    command = [
        python, "-m", "jupyterlab", "--no-browser", "--allow-root",
        "--ServerApp.ip=127.0.0.1", f"--ServerApp.port={port}", "--ServerApp.port_retries=0",
        f"--ServerApp.root_dir={folder}",
        # Lets the harness ask the page which notebook is open and whether its kernel is idle.
        "--LabApp.expose_app_in_browser=True", *OPTIONS[major], *([PROMPT] if prompt else []),
    ]  # fmt: skip
    log = home / "server.log"
    with log.open("w") as stream:
        server = subprocess.Popen(
            command, cwd=folder, env=variables, stdout=stream, stderr=subprocess.STDOUT
        )
    try:
        address = f"http://127.0.0.1:{port}"
        _wait_until_it_answers(server, address, token, log)
        yield JupyterLab(address, token, folder, major)
    finally:
        _stop(server)


def _major(python: str) -> int:
    question = "from importlib.metadata import version; print(version('jupyterlab'))"
    answer = subprocess.run([python, "-c", question], check=True, capture_output=True, text=True)
    return int(answer.stdout.split(".")[0])


def _write_settings(folder: Path, settings: dict[str, dict]) -> None:
    for page, values in settings.items():
        file = folder / "@jupyterlab" / f"{page}.jupyterlab-settings"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(values))


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def _get(address: str, token: str) -> str:
    request = urllib.request.Request(address, headers={"Authorization": f"token {token}"})
    with urllib.request.urlopen(request, timeout=10) as answer:
        return answer.read().decode()


def _wait_until_it_answers(server, address: str, token: str, log: Path) -> None:
    deadline = time.monotonic() + SECONDS_TO_START
    while time.monotonic() < deadline:
        if server.poll() is not None:
            break
        with contextlib.suppress(urllib.error.URLError, ConnectionError, TimeoutError):
            _get(f"{address}/api/status", token)
            return
        time.sleep(0.1)
    tail = "\n".join(log.read_text(errors="replace").splitlines()[-30:])
    raise RuntimeError(f"JupyterLab did not answer at {address}; the end of its log:\n{tail}")


def _stop(server: subprocess.Popen) -> None:
    """Ask the server to end, kernels included; insist after a while."""
    if server.poll() is None:
        server.send_signal(signal.SIGTERM)
    try:
        server.wait(timeout=20)
    except subprocess.TimeoutExpired:
        server.kill()
        server.wait()
