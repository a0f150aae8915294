"""The server that `make lab` starts sends each message at once."""

from pathlib import Path
from unittest.mock import Mock

from browser.jupyter import PROMPT
from jupyter_server.serverapp import ServerApp
from jupyter_server.services.kernels.connection.channels import ZMQChannelsWebsocketConnection
from jupyter_server.services.kernels.websocket import KernelWebsocketHandler

from course_utils.server import PromptConnection

ROOT = Path(__file__).resolve().parents[1]


def test_a_connection_sends_at_once_from_the_moment_it_is_made(monkeypatch):
    handler = Mock(spec=KernelWebsocketHandler)
    monkeypatch.setattr(
        ZMQChannelsWebsocketConnection, "connect", lambda self: list(handler.method_calls)
    )
    before = PromptConnection(websocket_handler=handler).connect()
    assert [(name, values) for name, values, _ in before] == [("set_nodelay", (True,))]


def test_make_lab_and_the_benchmark_start_jupyterlab_with_this_connection():
    option, name = PROMPT.removeprefix("--ServerApp.").split("=")
    assert option in ServerApp.class_trait_names()
    assert name == f"{PromptConnection.__module__}.{PromptConnection.__qualname__}"
    assert PROMPT in (ROOT / "Makefile").read_text()
