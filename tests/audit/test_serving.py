"""A node that is served: the event is on the disk before the first byte of what is private leaves, come what may."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from tests.server.conftest import Served, make_home, start

from pellucid.node import Home, Node
from pellucid.statement.keys import Role

pytestmark = pytest.mark.full  # each starts a node of its own

_ENTER = """
import sys
from pathlib import Path
from pellucid.site.database import prepare
prepare(Path(sys.argv[1]))
from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore
from pellucid.people.portal.models import Account
account = Account.objects.create(email="rita@people.example", name="Rita Example")
account.set_unusable_password()
account.save()
session = SessionStore()
session[SESSION_KEY] = account.id
session[BACKEND_SESSION_KEY] = settings.AUTHENTICATION_BACKENDS[0]
session[HASH_SESSION_KEY] = account.get_session_auth_hash()
session.save()
print(account.id, settings.SESSION_COOKIE_NAME, session.session_key)
"""


class Visit:
    """A served node, and somebody who is signed in there."""

    def __init__(self, home: Path) -> None:
        self.home = home
        (home / "secret_key").write_text("not a secret of anybody, and long enough to be one")
        done = subprocess.run([sys.executable, "-c", _ENTER, str(home)], capture_output=True, text=True, check=True)
        self.account, name, value = done.stdout.split()
        self.cookie = f"{name}={value}"
        self.node: Served = start(home)

    def ask(self) -> socket.socket:
        """Ask for a private page, and give the connection on which it will come."""
        host, port = urlsplit(self.node.url).netloc.split(":")
        connection = socket.create_connection((host, int(port)), timeout=20)
        lines = ("GET /account/record HTTP/1.1", f"Host: {host}", f"Cookie: {self.cookie}", "Connection: close", "", "")
        connection.sendall("\r\n".join(lines).encode())
        return connection

    def kill(self) -> None:
        """End it as a power cut would."""
        for pid in (self.node.process.pid, self.node.worker):
            os.kill(pid, signal.SIGKILL)
        self.node.process.wait(20)
        self.node.until(lambda: Home(self.home).holder() is None)
        (self.home / "serving.json").unlink()


@pytest.fixture
def visit(tmp_path: Path) -> Iterator[Visit]:
    """One node and one visitor."""
    found = Visit(make_home(tmp_path / "vendor", "vendor", "log.vendor.example/1", "Example Vendor", "europe"))
    yield found
    if found.node.process.poll() is None:
        found.node.stop()


def recorded(home: Path) -> list[tuple[str | None, str | None]]:
    """Open the node anew and return what it has recorded, oldest first, after `fsck` was content with it."""
    with Node.open(home, (home / "passphrase").read_bytes().strip()) as node:
        found = [(item.event.actor, item.event.target) for item in reversed(node.trail.events(limit=10_000))]
        node.publish()
    command = [sys.executable, "-m", "pellucid.cli", "fsck", str(home), "--json"]
    checked = subprocess.run(command, capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stdout
    assert json.loads(checked.stdout)["logs"][-1]["origin"].endswith("/audit")
    return found


def test_after_a_kill_at_the_first_byte_the_event_is_there(visit: Visit) -> None:
    connection = visit.ask()
    first = connection.recv(12)
    visit.kill()
    assert first.startswith(b"HTTP/1.1 200")
    assert recorded(visit.home) == [(visit.account, "page:/account/record")]


def test_after_each_of_many_kills_no_page_was_shown_without_its_event(visit: Visit) -> None:
    shown = 0
    for _ in range(3):
        for _ in range(7):
            shown += visit.ask().recv(12).startswith(b"HTTP/1.1 200")
        visit.kill()
        assert len(recorded(visit.home)) >= shown
        visit.node = start(visit.home)
    assert shown == 21


@pytest.mark.skipif(shutil.which("strace") is None, reason="strace is not installed")
def test_the_disk_has_synced_the_event_before_anything_is_sent(visit: Visit, tmp_path: Path) -> None:
    """A power cut is what `kill -9` cannot show: the order of the system calls does."""
    trace = tmp_path / "trace"
    wanted = "trace=fdatasync,fsync,write,writev,sendto,sendmsg,pwrite64"
    watcher = subprocess.Popen(
        ["strace", "-f", "-y", "-s", "9000", "-e", wanted, "-o", str(trace), "-p", str(visit.node.worker)],
        stderr=subprocess.PIPE,
        text=True,
    )
    assert watcher.stderr is not None
    if "attached" not in watcher.stderr.readline():
        pytest.skip("strace may not attach here")
    assert visit.ask().recv(12).startswith(b"HTTP/1.1 200")
    visit.node.stop()
    watcher.wait(20)
    calls = trace.read_text().splitlines()
    answered = next(at for at, call in enumerate(calls) if '"HTTP/1.1 200' in call)
    written = next(at for at, call in enumerate(calls) if "audit.db-wal" in call and "page:/account/record" in call)
    synced = [at for at, call in enumerate(calls[:answered]) if re.search(r"f(data)?sync\(.*audit\.db-wal", call)]
    assert written < answered
    assert any(written < at for at in synced), "it was written, but not synced, before the answer was sent"


def test_nothing_of_the_log_but_its_head_is_public(visit: Visit) -> None:
    visit.ask().recv(12)
    visit.node.until(lambda: visit.node.get("/audit/checkpoint").body.split(b"\n")[1:2] == [b"1"])
    head = visit.node.get("/audit/checkpoint")
    assert head.headers["cache-control"] == "no-cache"
    assert head.body.startswith(Home(visit.home).verifier(Role.AUDIT).name.encode() + b"\n1\n")
    for path in ("audit/tile/0/000.p/1", "audit/tile/entries/000.p/1", "audit/checkpoints/001", "audit/000"):
        assert visit.node.get(f"/{path}").status in {302, 401, 404}, path
    assert visit.node.ask("POST", "/audit/checkpoint", b"").status == 405
    assert visit.node.get("/healthz").status == 200
