"""Visits to a node that is served as its operator serves it: whole stories, in a real browser."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.outbox.conftest import Mailbox, mailbox
from tests.server.conftest import made_home

if TYPE_CHECKING:
    from playwright.sync_api import Browser
    from tests.stories.people import Place

__all__ = ["Mailbox", "made_home", "mailbox"]

CHROMIUM = Path("/usr/bin/chromium")


@pytest.fixture(scope="module")  # the library runs one loop in a thread: it ends before another module asks for its own
def browser() -> Iterator[Browser]:
    """Debian's Chromium."""
    if not CHROMIUM.exists():
        pytest.skip("there is no Chromium here: apt-get install chromium libatomic1")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        found = playwright.chromium.launch(executable_path=str(CHROMIUM), args=["--no-sandbox"])
        yield found
        found.close()


@pytest.fixture
def place(browser: Browser, made_home: Path, tmp_path: Path, mailbox: Mailbox) -> Iterator[Place]:
    """A vendor's node with a mail server and one release, served on this machine's own name."""
    from tests.stories.people import Place

    with Place.opened(browser, made_home, tmp_path, mailbox) as found:
        yield found
