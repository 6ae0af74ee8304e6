"""Nodes that are served as their operators serve them: a process of their own, a free port, a real socket."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from pellucid.cli import main
from pellucid.statement import keys
from pellucid.statement.dsse import IN_TOTO, Envelope, sign_payload
from pellucid.statement.intoto import Statement, Subject
from pellucid.statement.keys import Role, SecretKey, unseal_key

pytest.importorskip("granian", reason="the server is part of the full install")

ORIGIN = "log.vendor.example/1"


@dataclass(frozen=True)
class Reply:
    """One HTTP answer."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """The body as JSON."""
        return json.loads(self.body)


@dataclass
class Served:
    """A node that runs."""

    home: Path
    process: subprocess.Popen[str]
    url: str
    worker: int
    _connections: list[HTTPConnection] = field(default_factory=list)

    def ask(self, method: str, path: str, body: bytes | None = None, **headers: str) -> Reply:
        """Send one request on a connection of its own."""
        connection = HTTPConnection(urlsplit(self.url).netloc, timeout=20)
        try:
            connection.request(method, path, body=body, headers={k.replace("_", "-"): v for k, v in headers.items()})
            response = connection.getresponse()
            return Reply(response.status, {k.lower(): v for k, v in response.getheaders()}, response.read())
        finally:
            connection.close()

    def get(self, path: str) -> Reply:
        """Fetch a path."""
        return self.ask("GET", path)

    def submit(self, envelope: Envelope | bytes) -> Reply:
        """Submit an envelope over the API."""
        data = envelope if isinstance(envelope, bytes) else envelope.to_bytes()
        return self.ask("POST", "/api/statements", data, Content_Type="application/json")

    def until(self, holds: Callable[[], bool], seconds: float = 20.0) -> None:
        """Wait until something holds of the node."""
        end = time.monotonic() + seconds
        while not holds():
            assert time.monotonic() < end, "it does not come to hold"
            time.sleep(0.05)

    def size(self) -> int:
        """Return the size of the published log."""
        return int(self.get("/checkpoint").body.split(b"\n")[1])

    def said(self) -> str:
        """Return what it wrote to stderr."""
        return self.home.with_name(f"{self.home.name}.err").read_text()

    def stop(self, how: signal.Signals = signal.SIGTERM) -> int:
        """End it and return its exit code."""
        if self.process.poll() is None:
            self.process.send_signal(how)
        return self.process.wait(40)


def start(home: Path, *options: str) -> Served:
    """Serve a home on a free port, and wait until it answers."""
    command = [sys.executable, "-m", "pellucid.cli", "--home", str(home), "serve", "--listen", "127.0.0.1:0", *options]
    said = home.with_name(f"{home.name}.err")
    with said.open("a") as errors:
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=errors, text=True)
    end = time.monotonic() + 40
    file = home / "serving.json"
    while time.monotonic() < end and process.poll() is None:
        try:
            serving = json.loads(file.read_text())
        except (OSError, ValueError):
            time.sleep(0.05)
            continue
        return Served(home, process, serving["url"], serving["pid"])
    process.kill()
    process.wait(20)
    raise AssertionError(f"it does not serve: {said.read_text()}")


Start = Callable[..., Served]


def make_home(home: Path, role: str, name: str, operator: str, region: str) -> Path:
    """Make a home whose keys open with the least work that is allowed."""
    words = ["--role", role, "--name", name, "--operator", operator, "--region", region]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(keys, "_SCRYPT_N", 1024)
        assert main(["--home", str(home), "init", *words]) == 0
    return home


@pytest.fixture(scope="session")
def made_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A vendor's home, made once."""
    return make_home(tmp_path_factory.mktemp("made") / "vendor", "vendor", ORIGIN, "Example Vendor", "europe")


@pytest.fixture
def center_home(tmp_path: Path) -> Path:
    """A center's home."""
    return make_home(tmp_path / "asia", "center", "log.asia.example/1", "Center Asia", "asia")


@pytest.fixture
def home(made_home: Path, tmp_path: Path) -> Path:
    """A fresh copy of the vendor's home."""
    return shutil.copytree(made_home, tmp_path / "vendor")


@pytest.fixture
def serve() -> Iterator[Start]:
    """Serve homes; what still runs at the end is stopped."""
    running: list[Served] = []

    def serve_it(home: Path, *options: str) -> Served:
        running.append(start(home, *options))
        return running[-1]

    yield serve_it
    for served in running:
        if served.process.poll() is None:
            served.process.kill()
            served.process.wait(20)


@pytest.fixture(scope="module")
def node(made_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """One node for the tests of a module that only add to its log."""
    home = shutil.copytree(made_home, tmp_path_factory.mktemp("served") / "vendor")
    served = start(home)
    yield served
    served.process.kill()
    served.process.wait(20)


def party_key(home: Path) -> SecretKey:
    """Open the party key of a home."""
    path = home / "keys/party.key"
    passphrase = (home / "passphrase").read_bytes().strip()
    return unseal_key(path.read_bytes(), passphrase, where=str(path), role=Role.PARTY)


@pytest.fixture(scope="session")
def sign(made_home: Path) -> Callable[..., Envelope]:
    """Sign a statement made elsewhere, about the SHA-256 given, by the vendor or another key."""
    vendor = party_key(made_home)

    def sign_it(number: int, *, key: SecretKey = vendor, fill: int = 0) -> Envelope:
        predicate = {"number": number, "fill": "x" * fill}
        subject = Subject({"sha256": f"{number:064x}"}, "thing")
        payload = Statement((subject,), "https://example.com/thing/v1", predicate).payload()
        return sign_payload(IN_TOTO, payload, key)

    return sign_it
