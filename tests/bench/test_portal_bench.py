"""The people of the portal's bench: they wait for whole answers, count what is wrong, blame a server that stalls."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from bench.people import Visit, crowd, percentile
from bench.portal import Served, _is_page, _pss

from bench import people


class Page(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    status = 200
    pause = 0.0
    asked: list[str]

    def do_GET(self) -> None:
        self.asked.append(self.path)
        time.sleep(self.pause)
        self.send_response(self.status)
        self.send_header("Content-Length", "5")
        self.end_headers()
        self.wfile.write(b"page\n")

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def served(status: int = 200, pause: float = 0.0) -> Iterator[tuple[str, list[str]]]:
    asked: list[str] = []
    handler = type("Handler", (Page,), {"status": status, "pause": pause, "asked": asked})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}", asked
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture(autouse=True)
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(people, "PEOPLE", 6)
    monkeypatch.setattr(people, "EVERY", 0.1)


def test_each_person_opens_a_page_at_each_turn_and_every_second_one_a_page_of_their_own() -> None:
    with served() as (url, asked):
        seen = asyncio.run(crowd(url, [Visit("/products", None), Visit("/search?q=a", None)], 0.5))
    assert 20 <= len(seen.taken) == len(asked) <= 30
    assert seen.wrong == []
    own = [path for path in asked if "visit=" in path]
    assert len(own) == len(set(own)) > 0
    assert len(own) < len(asked)


def test_a_wrong_answer_is_no_fast_answer() -> None:
    with served(status=503) as (url, _):
        seen = asyncio.run(crowd(url, [Visit("/", None)], 0.3))
    assert seen.taken == []
    assert seen.wrong[0].startswith("503 for /")


def test_time_counts_from_when_a_page_was_due_not_from_when_the_server_had_time() -> None:
    with served(pause=0.2) as (url, _):
        seen = asyncio.run(crowd(url, [Visit("/", None)], 0.5))
    assert percentile(seen.taken, 0.95) > 350  # a person who waits for 200 ms every 100 ms is ever later


def test_a_share_of_the_times_is_a_time_that_was_taken() -> None:
    taken = [float(number) for number in range(1, 101)]
    assert (percentile(taken, 0.5), percentile(taken, 0.95), percentile([7.0], 0.95)) == (51.0, 96.0, 7.0)


@pytest.mark.parametrize(
    ("link", "wanted"),
    [("/products", True), ("/static/x/site/base.css", False), ("/products.json", False), ("/account/login/", False)],
)
def test_only_pages_for_everybody_are_walked(link: str, *, wanted: bool) -> None:
    assert _is_page(link) is wanted


def test_memory_is_that_of_the_process_and_what_it_started() -> None:
    import os
    import subprocess
    import sys
    from pathlib import Path

    program = (
        "import subprocess, sys; x = bytearray(b'x' * 30_000_000); subprocess.run([sys.executable, '-c', 'input()'])"
    )
    with subprocess.Popen([sys.executable, "-c", program], stdin=subprocess.PIPE) as process:
        time.sleep(0.7)
        alone, both = _pss(process.pid) / 1024, Served("", process, Path(os.devnull)).megabytes()
        process.communicate(b"\n")
    assert 28 < alone < both
