"""The server that `make lab` starts sends each message at once."""

import importlib
import re
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

channels = pytest.importorskip(
    "jupyter_server.services.kernels.connection.channels", reason="the extra `lab` is not installed"
)
ROOT = Path(__file__).resolve().parents[1]
OPTION = re.compile(r"kernel_websocket_connection_class=(\S+)\.(\w+)")


def the_class():
    module, name = OPTION.search((ROOT / "Makefile").read_text()).groups()
    return getattr(importlib.import_module(module), name)


def test_a_connection_sends_at_once_from_the_moment_it_is_made(monkeypatch):
    deeds = []
    plain = channels.ZMQChannelsWebsocketConnection
    monkeypatch.setattr(plain, "connect", lambda self: deeds.append("connect") or "done")
    handler = SimpleNamespace(set_nodelay=lambda value: deeds.append(("nodelay", value)))
    assert the_class().connect(SimpleNamespace(websocket_handler=handler)) == "done"
    assert deeds == [("nodelay", True), "connect"]


def test_jupyterlab_takes_the_connection_by_its_name(tmp_path):
    option = "--ServerApp." + OPTION.search((ROOT / "Makefile").read_text()).group()
    settings = subprocess.run(
        [sys.executable, "-m", "jupyter_server", "--allow-root", option, "--show-config-json"],
        cwd=tmp_path, capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    assert the_class().__name__ in settings
