"""kill -9 between sending and marking: the mail is sent again, and known as the same one by its Message-ID."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from tests.outbox.conftest import Mailbox
from tests.world import PASSPHRASE

from pellucid.node import Settings, create_home
from pellucid.record.settings import Mail

PROCESS = Path(__file__).with_name("killed.py")


def run(home: Path, what: str) -> bytes:
    return subprocess.check_output([sys.executable, str(PROCESS), str(home), what])


@pytest.fixture
def home(tmp_path: Path, mailbox: Mailbox) -> Path:
    """A home in whose outbox a notice waits."""
    mail = Mail(host="127.0.0.1", port=mailbox.port, sender="node@vendor.example", security="none")
    made = create_home(tmp_path / "home", Settings("log.example/1", "vendor", "r", "o", mail=mail), PASSPHRASE).path
    run(made, "post")
    return made


def state(home: Path) -> tuple[str, int]:
    with sqlite3.connect(home / "site.db") as database:
        found: tuple[str, int] = database.execute("select state, attempts from outbox_portal_delivery").fetchone()
    return found


@pytest.mark.full
def test_what_was_sent_but_not_marked_is_sent_again_as_the_same_mail(home: Path, mailbox: Mailbox) -> None:
    killed = subprocess.Popen([sys.executable, str(PROCESS), str(home), "deliver"], stdout=subprocess.PIPE)
    mailbox.on_mail = lambda: os.kill(killed.pid, signal.SIGKILL)
    assert killed.communicate()[0] == b""
    assert killed.returncode == -signal.SIGKILL
    assert (len(mailbox.raw), state(home)) == (1, ("waiting", 0))
    mailbox.on_mail = lambda: None
    assert run(home, "deliver") == b"done\n"
    assert state(home) == ("delivered", 1)
    first, second = mailbox.mails
    assert first["Message-ID"] == second["Message-ID"]
    assert mailbox.raw[0] == mailbox.raw[1]
    assert run(home, "deliver") == b"done\n"
    assert len(mailbox.raw) == 2
