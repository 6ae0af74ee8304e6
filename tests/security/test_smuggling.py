"""Where one request ends and the next begins is decided once; a body is never read as a second request."""

from __future__ import annotations

import re
import shutil
import socket
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from tests.server.conftest import ORIGIN, Served, make_home, start

pytestmark = pytest.mark.full

HIDDEN = "GET /checkpoint-of-the-second HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A node that is served, on its own port."""
    home = make_home(tmp_path_factory.mktemp("smuggling") / "vendor", "vendor", ORIGIN, "Example Vendor", "europe")
    served = start(home)
    yield served
    served.process.kill()
    served.process.wait(20)
    shutil.rmtree(home, ignore_errors=True)


def answers(url: str, data: str) -> list[str]:
    """Send bytes as they are; return the status lines of all that comes back."""
    parts = urlsplit(url)
    got = b""
    with socket.create_connection((parts.hostname or "", parts.port or 0), timeout=5) as line:
        line.sendall(data.encode())
        line.settimeout(1.5)
        try:
            while piece := line.recv(65_536):
                got += piece
        except TimeoutError:
            pass
    return re.findall(r"HTTP/1\.[01] [0-9]{3} ", got.decode(errors="replace"))


def request(*headers: str, body: str) -> str:
    return "\r\n".join(
        ("POST /api/lookup HTTP/1.1", "Host: 127.0.0.1", "Content-Type: application/json", *headers, "", body)
    )


CHUNKS = "0\r\n\r\n" + HIDDEN
AMBIGUOUS = {
    "both lengths, chunks first": (("Transfer-Encoding: chunked", f"Content-Length: {len(CHUNKS)}"), CHUNKS),
    "both lengths, length first": (("Content-Length: 5", "Transfer-Encoding: chunked"), CHUNKS),
    "two lengths": ((f"Content-Length: {len(HIDDEN)}", "Content-Length: 0"), HIDDEN),
    "an odd coding": (("Transfer-Encoding: xchunked", f"Content-Length: {len(HIDDEN)}"), HIDDEN),
    "a space before the colon": (("Transfer-Encoding : chunked", f"Content-Length: {len(HIDDEN)}"), HIDDEN),
    "a negative length": (("Content-Length: -1",), HIDDEN),
    "a plus before the length": ((f"Content-Length: +{len(HIDDEN)}",), HIDDEN),
}  # fmt: skip


@pytest.mark.parametrize(("headers", "body"), AMBIGUOUS.values(), ids=AMBIGUOUS)
def test_no_second_request_hides_in_the_body_of_a_first(node: Served, headers: tuple[str, ...], body: str) -> None:
    """Either the hidden one is a body, or the connection ends; a proxy before the node cannot be made to disagree."""
    found = answers(node.url, request(*headers, body=body))
    assert len(found) <= 1, found


def test_two_plain_requests_are_two(node: Served) -> None:
    """The control: on one connection, one after the other."""
    assert len(answers(node.url, request("Content-Length: 2", body="{}") + HIDDEN)) == 2
    assert Path(node.home).is_dir()
