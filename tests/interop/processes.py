"""Nodes as their operators run them: `pellucid serve` in processes of their own, on free ports of this machine."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from functools import cached_property
from hashlib import sha256
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from pellucid.record.home import Home
from pellucid.record.predicate import RECEIPT, Receipt
from pellucid.statement.dsse import IN_TOTO, Envelope, sign_payload
from pellucid.statement.intoto import Statement, Subject
from pellucid.statement.keys import Role, SecretKey
from pellucid.statement.predicate import read_predicate
from pellucid.tlog.note import Verifier

PELLUCID = Path(sys.executable).with_name("pellucid")
_START_WITHIN = 60.0


@dataclass(frozen=True)
class Reply:
    """One HTTP answer."""

    status: int
    content_type: str
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def receipt(self) -> Receipt:
        """The receipt in the body, unverified."""
        found: Receipt = read_predicate(Statement.parse(Envelope.parse(self.body).payload), RECEIPT)
        return found


@dataclass(frozen=True)
class Said:
    """What a command answered."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


def pellucid(*words: str | Path, environment: Mapping[str, str] | None = None) -> Said:
    """Run a command of the console script."""
    done = subprocess.run(
        [PELLUCID, *map(str, words)],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
        stdin=subprocess.DEVNULL,
        env={**os.environ, **(environment or {})},
    )
    return Said(done.returncode, done.stdout, done.stderr)


def ask(url: str, method: str, path: str, body: bytes | None = None, content_type: str = "application/json") -> Reply:
    """Send one request on a connection of its own."""
    connection = HTTPConnection(urlsplit(url).netloc, timeout=30)
    try:
        connection.request(method, path, body=body, headers={"Content-Type": content_type})
        response = connection.getresponse()
        return Reply(response.status, response.headers.get("Content-Type", ""), response.read())
    finally:
        connection.close()


def until(holds: Callable[[], Any], seconds: float = 20.0, every: float = 0.05) -> Any:
    """Wait until something holds, and return it."""
    end = time.monotonic() + seconds
    while not (found := holds()):
        assert time.monotonic() < end, f"it does not come to hold within {seconds:.0f} s"
        time.sleep(every)
    return found


def is_alive(pid: int) -> bool:
    """Tell whether a process runs; one that waits to be reaped does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


@dataclass
class NodeProcess:
    """A node with a fixed address: its home, and its process while it runs."""

    name: str
    home: Path
    port: int
    role: str = "center"
    process: subprocess.Popen[bytes] | None = field(default=None, repr=False)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def log_id(self) -> str:
        return sha256(self.name.encode()).hexdigest()

    @property
    def passphrase(self) -> bytes:
        return (self.home / "passphrase").read_bytes().strip()

    @property
    def said(self) -> Path:
        """Where the process writes what it says."""
        return self.home.with_name(f"{self.home.name}.said")

    @cached_property
    def party(self) -> SecretKey:
        return Home(self.home).secret(Role.PARTY, self.passphrase)

    def key(self, role: Role) -> Verifier:
        """Return its C2SP key as log, witness or mirror."""
        return Home(self.home).verifier(role)

    def command(self, *words: str | Path) -> Said:
        """Run a command on its home."""
        return pellucid("--home", self.home, *words)

    def make(self) -> None:
        """Make the home by `pellucid init`; nodes exchange often, so that tests need not wait."""
        who = ("--role", self.role, "--name", self.name, "--region", "Europe", "--operator", f"Operator of {self.name}")
        made = self.command("init", *who, "--listen", f"127.0.0.1:{self.port}", "--url", self.url)
        assert made.code == 0, made.err
        Home(self.home).change(mirror_every=0.5)

    def start(self, *, wait: bool = True, preexec: Callable[[], None] | None = None) -> None:
        """Start `pellucid serve`; `preexec` runs in the process before it."""
        assert self.process is None
        with self.said.open("ab") as said:
            self.process = subprocess.Popen(
                [PELLUCID, "--home", self.home, "serve"],
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=said,
                preexec_fn=preexec,  # noqa: PLW1509 - tests of limits only, and nothing but a system call
            )
        if wait:
            self.wait()

    def wait(self) -> None:
        """Wait until it answers."""
        until(lambda: self.ended() or self.serving() is not None, _START_WITHIN, 0.02)
        assert not self.ended(), f"{self.name} ended: {self.said.read_text()[-2000:]}"

    def ended(self) -> bool:
        return self.process is None or self.process.poll() is not None

    def serving(self) -> int | None:
        """Return the process id of the second process, the one with the node, once it answers."""
        with suppress(OSError, ValueError):
            pid = int(json.loads((self.home / "serving.json").read_bytes())["pid"])
            # what a killed node has left may still stand there
            if is_alive(pid) and Home(self.home).holder() is not None:
                return pid
        return None

    def kill(self, *, worker: bool = False) -> int:
        """Kill -9 the process, or the second one, and see both end; return the exit code of the first."""
        assert self.process is not None
        pid = self.serving()
        if worker and pid is not None:
            os.kill(pid, signal.SIGKILL)
        else:
            self.process.kill()
        code = self.process.wait(30)
        if pid is not None:
            until(lambda: not is_alive(pid), 2.0, 0.005)
        until(lambda: Home(self.home).holder() is None, 2.0, 0.005)
        self.process = None
        return code

    def stop(self) -> int | None:
        """Ask it to end, and see it end."""
        if self.process is None:
            return None
        self.process.terminate()
        try:
            code = self.process.wait(40)
        except subprocess.TimeoutExpired:
            self.process.kill()
            code = self.process.wait(10)
        self.process = None
        return code

    def ask(self, method: str, path: str, body: bytes | None = None) -> Reply:
        return ask(self.url, method, path, body)

    def get(self, path: str) -> Reply:
        return self.ask("GET", path)

    def submit(self, envelope: Envelope | bytes) -> Reply:
        return self.ask("POST", "/api/statements", envelope if isinstance(envelope, bytes) else envelope.to_bytes())

    def submit_all(self, envelopes: Sequence[Envelope]) -> list[int]:
        """Submit statements, a few at a time, and return their indices."""
        with ThreadPoolExecutor(4) as pool:
            replies = list(pool.map(self.submit, envelopes))
        assert {reply.status for reply in replies} <= {201}
        return [reply.receipt.index or 0 for reply in replies]

    def health(self) -> Any:
        return self.get("/healthz").json

    def published(self) -> int | None:
        """Return the size of the published log; None if it does not answer or has published nothing."""
        with suppress(OSError, HTTPException):
            reply = self.get("/checkpoint")
            if reply.status == 200:
                return int(reply.body.split(b"\n")[1])
        return None

    def mirrored(self, log: NodeProcess) -> int | None:
        """Return the size of its mirror of another node's log."""
        reply = self.get(f"/mirror/{log.log_id}/checkpoint")
        return int(reply.body.split(b"\n")[1]) if reply.status == 200 else None

    def statement(self, number: int, *, fill: int = 0) -> Envelope:
        """Return a statement made elsewhere about a thing with this number, signed by the node's party key."""
        return sign_statement(self.party, number, fill=fill)


def sign_statement(key: SecretKey, number: int, *, fill: int = 0) -> Envelope:
    """Return a statement about a thing with this number."""
    predicate = {"number": number, "fill": "x" * fill}
    statement = Statement((Subject({"sha256": f"{number:064x}"}, None),), "https://example.com/thing/v1", predicate)
    return sign_payload(IN_TOTO, statement.payload(), key)


def free_ports(count: int) -> list[int]:
    """Return ports that nobody listens on."""
    with ExitStack() as stack:
        probes = [stack.enter_context(socket.socket()) for _ in range(count)]
        for probe in probes:
            probe.bind(("127.0.0.1", 0))
        return [int(probe.getsockname()[1]) for probe in probes]


@dataclass(frozen=True)
class Town:
    """A vendor and two centers, each joined with the others."""

    vendor: NodeProcess
    asia: NodeProcess
    europe: NodeProcess

    @property
    def nodes(self) -> tuple[NodeProcess, ...]:
        return self.vendor, self.asia, self.europe

    @property
    def centers(self) -> tuple[NodeProcess, ...]:
        return self.asia, self.europe

    def start(self) -> None:
        for node in self.nodes:
            node.start(wait=False)
        for node in self.nodes:
            node.wait()

    def stop(self) -> None:
        """End the processes that were started here."""
        for node in self.nodes:
            if node.process is not None:
                node.process.terminate()
        for node in self.nodes:
            node.stop()


def make_town(root: Path, *, quorum: int) -> Town:
    """Make three homes and join them with exchanged cards; every log needs `quorum` cosigning operators."""
    ports = free_ports(3)
    vendor = NodeProcess("log.vendor.example", root / "vendor", ports[0], "vendor")
    asia = NodeProcess("log.asia.example", root / "asia", ports[1])
    town = Town(vendor, asia, NodeProcess("log.europe.example", root / "europe", ports[2]))
    for node in town.nodes:
        node.make()
    cards = [node.command("peer", "invite", "-o", f"{node.home}.card.json", "--json").json for node in town.nodes]
    for node in town.nodes:
        for count, card in enumerate((card for card in cards if card["name"] != node.name), start=1):
            words = (card["card"], "--fingerprint", card["fingerprint"], "--quorum", str(min(quorum, count)))
            accepted = node.command("peer", "accept", *words)
            assert accepted.code == 0, accepted.err
    return town
