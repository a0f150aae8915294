"""A web server on this machine for the tests of downloads: it can lie, break off and wait."""

import hashlib
import socket
import threading
from collections.abc import Callable
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from course_utils.datasets import Dataset, RegisteredFile

BODY = b">toy\n" + b"ACGT" * 5000 + b"\n"


@dataclass
class Page:
    """What is sent, how much of it was announced, and what happens half-way."""

    body: bytes
    announced: int
    pause: Callable[[], object]


class Web:
    """Serves bytes on 127.0.0.1 and notes what was asked for; use it in a ``with`` block."""

    def __init__(self):
        self.requests: list[str] = []
        self._pages: dict[str, Page] = {}
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())

    def __enter__(self) -> "Web":
        threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True
        ).start()
        return self

    def __exit__(self, *_) -> None:
        self._server.shutdown()
        self._server.server_close()

    def serve(
        self,
        path: str,
        body: bytes = BODY,
        *,
        announced: int | None = None,
        pause: Callable[[], object] = lambda: None,
    ) -> str:
        """Offer a page and return its address; `pause` is called when half of it is sent."""
        self._pages[path] = Page(body, announced or len(body), pause)
        return self.url(path)

    def url(self, path: str) -> str:
        return f"http://127.0.0.1:{self._server.server_port}{path}"

    def _handler(web):
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                web.requests.append(self.path)
                page = web._pages.get(self.path)
                if page is None:
                    return self.send_error(404)
                self.send_response(200)
                self.send_header("Content-Length", str(page.announced))
                self.end_headers()
                half = len(page.body) // 2
                try:
                    self.wfile.write(page.body[:half])
                    page.pause()
                    self.wfile.write(page.body[half:])
                except ConnectionError:
                    pass  # the reader has gone, as some tests want

            def log_message(self, *_):
                pass

        return Handler


def refused_url() -> str:
    """An address of this machine at which nobody listens."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{taken.getsockname()[1]}/toy.fa"


def toy(url: str, body: bytes = BODY) -> dict[str, Dataset]:
    """A registry of one dataset, ``toy``, with one file, ``toy/toy.fa``, fetched from `url`."""
    file = RegisteredFile("toy/toy.fa", url, len(body), hashlib.sha256(body).hexdigest())
    return {"toy": Dataset("toy", "a toy", "none", "CC0", "nobody", (file,))}
