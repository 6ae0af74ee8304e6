"""The portal on a hand-made world, served on a free port to a real browser."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from socketserver import ThreadingMixIn
from typing import TYPE_CHECKING, Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Browser
    from tests.site.sample import Sample

CHROMIUM = Path("/usr/bin/chromium")

sys.path.insert(0, str(Path(__file__).parents[2]))
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "pellucid.site.settings")


class Quiet(WSGIRequestHandler):
    def log_message(self, *_: Any) -> None:
        pass


class Threads(ThreadingMixIn, WSGIServer):
    daemon_threads = True


@pytest.fixture(scope="module")  # the library runs one loop in a thread: it ends before another module asks for its own
def browser() -> Iterator[Browser]:
    if not CHROMIUM.exists():
        pytest.skip("there is no Chromium here: apt-get install chromium libatomic1")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def world() -> Sample:
    from tests.site.sample import Sample

    return Sample()


@pytest.fixture(scope="module")  # between two modules others may serve another world
def base(world: Sample) -> Iterator[str]:
    from pellucid.site import current
    from pellucid.site.wsgi import application

    current.serve(world)
    server = make_server("127.0.0.1", 0, application, server_class=Threads, handler_class=Quiet)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    current._served.clear()


@pytest.fixture(scope="session")
def addresses(world: Sample) -> list[str]:
    """Every kind of page, in good and in bad states."""
    from tests.site.sample_world import LOG, MALLORY, TREE_1, digest

    releases = [f"/releases/{record.id}" for record in world.marks.values()]
    digests = [f"/digest/{value}" for value in (digest("file", "4.2.0", 0), TREE_1, "ab" * 32)]
    return [
        "/", "/products", "/products/Example%20Agent", *releases, "/log",
        f"/logs/{world.logs()[1].id}", f"/logs/{LOG}/entries/4",
        f"/logs/{LOG}/proof?index=5", f"/logs/{LOG}/proof?old=5", f"/logs/{LOG}/proof?old=500", "/nodes",
        f"/parties/{MALLORY}", *digests, "/search?q=agent", "/search?q=zzz", "/search?q=example", "/check", "/nope",
        "/reviews", "/open", "/design",
    ]  # fmt: skip
