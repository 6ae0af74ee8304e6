"""Four nodes on this machine: a vendor and three centers, each with its own home, keys, process and port."""

from __future__ import annotations

import contextlib
import ctypes
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from pellucid.demo.operator import Operator
from pellucid.errors import UnavailableError
from pellucid.record.home import Home, create_home
from pellucid.record.settings import Settings
from pellucid.statement.keys import Role

QUORUM = 2
_START_WITHIN = 60.0
_STOP_WITHIN = 8.0
_TAIL = 2000
_PR_SET_PDEATHSIG = 1


@dataclass(frozen=True, slots=True)
class Place:
    """Who a node of the demonstration is: visibly an example."""

    name: str
    role: str
    region: str
    operator: str

    @property
    def origin(self) -> str:
        """The name of its log."""
        return f"log.{self.name}.example"


PLACES = (
    Place("vendor", "vendor", "Oceania", "Example Vendor"),
    Place("asia", "center", "Asia", "Example Center Asia"),
    Place("europe", "center", "Europe", "Example Center Europe"),
    Place("americas", "center", "Americas", "Example Center Americas"),
)


class NodeStoppedError(UnavailableError):
    """A node of the demonstration does not run, or ended by itself."""


@dataclass
class DemoNode:
    """One node: its place, its home, and its process while it runs."""

    place: Place
    home: Path
    logs: Path
    process: subprocess.Popen[bytes] | None = field(default=None, repr=False)

    @property
    def operator(self) -> Operator:
        """Who works at this node."""
        return Operator(self.home, self.logs / f"{self.place.name}.commands.log")

    @property
    def url(self) -> str:
        """Where it answers."""
        return Home.find(self.home).settings.url or ""

    def make(self, port: int) -> None:
        """Make its home, with a passphrase of its own kept in it."""
        settings = Settings(
            name=self.place.origin,
            role="vendor" if self.place.role == "vendor" else "center",
            region=self.place.region,
            operator=self.place.operator,
            listen=f"127.0.0.1:{port}",
            url=f"http://127.0.0.1:{port}",
            mirror_every=0.5,
        )
        create_home(self.home, settings, secrets.token_urlsafe(24).encode(), keep_passphrase=True)

    def start(self) -> None:
        """Start its process; `wait` tells when it answers."""
        log = (self.logs / f"{self.place.name}.serve.log").open("ab")
        command = [sys.executable, "-m", "pellucid.cli", "--home", str(self.home), "serve"]
        with log:
            self.process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                preexec_fn=partial(_end_with_parent, os.getpid()),  # noqa: PLW1509 - before any thread is started
            )

    def wait(self) -> None:
        """Wait until it answers; NodeStoppedError with the end of its log if it does not."""
        deadline = time.monotonic() + _START_WITHIN
        while time.monotonic() < deadline:
            if self.process is None or self.process.poll() is not None:
                raise self._stopped("ended by itself")
            if Home.find(self.home).node_url() is not None:
                return
            time.sleep(0.05)
        raise self._stopped(f"does not answer after {_START_WITHIN:.0f} s")

    def require_running(self) -> None:
        """NodeStoppedError with the end of its log if its process has ended."""
        if self.process is None or self.process.poll() is not None:
            raise self._stopped("ended by itself")

    def ask_to_stop(self) -> None:
        """Ask its process to end."""
        if self.process is not None and self.process.poll() is None:
            self.process.terminate()

    def stop(self, within: float) -> None:
        """See that its process has ended; what it acknowledged is durable, however it ends."""
        if self.process is not None:
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(within)
            if self.process.poll() is None:
                self.process.kill()
                self.process.wait()
            self.process = None

    def as_json(self) -> dict[str, str]:
        """Return the node as it stands in the demonstration's JSON."""
        return {
            "name": self.place.origin,
            "role": self.place.role,
            "region": self.place.region,
            "url": self.url,
            "home": str(self.home),
            "log_key": Home.find(self.home).verifier(Role.LOG).vkey,
        }

    def _stopped(self, what: str) -> NodeStoppedError:
        path = self.logs / f"{self.place.name}.serve.log"
        with path.open("rb") as file:
            file.seek(max(0, path.stat().st_size - _TAIL))
            tail = file.read().decode(errors="replace").strip()
        return NodeStoppedError(
            f"the node {what}; it last said:\n{tail or '(nothing)'}", where=str(self.home), remedy=f"see {path}"
        )


def make_nodes(home: Path) -> Sequence[DemoNode]:
    """Make the homes of all nodes below `home`, each on a free port."""
    nodes = find_nodes(home)
    for node, port in zip(nodes, _free_ports(len(nodes)), strict=True):
        node.make(port)
    return nodes


def find_nodes(home: Path) -> Sequence[DemoNode]:
    """Return the nodes whose homes lie below `home`."""
    logs = home / "logs"
    logs.mkdir(exist_ok=True)
    return [DemoNode(place, home / place.name, logs) for place in PLACES]


def join_nodes(nodes: Sequence[DemoNode], cards: Path) -> int:
    """Have every two nodes exchange cards and compare fingerprints; return how many cards were accepted."""
    cards.mkdir(exist_ok=True)
    invitations = [
        node.operator.run("peer", "invite", "-o", cards / f"{node.place.name}.card.json").json for node in nodes
    ]
    accepted = 0
    for node in nodes:
        for invitation in invitations:
            if invitation["name"] != node.place.origin:
                node.operator.run("peer", "accept", invitation["card"], "--fingerprint", invitation["fingerprint"])
                accepted += 1
        Home.find(node.home).change(quorum=QUORUM)
    return accepted


def start_nodes(nodes: Sequence[DemoNode]) -> None:
    """Start all nodes at once and wait until every one of them answers."""
    for node in nodes:
        node.start()
    for node in nodes:
        node.wait()


def stop_nodes(nodes: Sequence[DemoNode]) -> None:
    """End the processes that were started here, and no others; one that does not end in time is killed."""
    until = time.monotonic() + _STOP_WITHIN
    for node in nodes:
        node.ask_to_stop()
    for node in nodes:
        node.stop(max(0.1, until - time.monotonic()))


def _free_ports(count: int) -> Sequence[int]:
    with contextlib.ExitStack() as stack:
        probes = [stack.enter_context(socket.socket()) for _ in range(count)]
        for probe in probes:
            probe.bind(("127.0.0.1", 0))
        return [int(probe.getsockname()[1]) for probe in probes]


def _end_with_parent(parent: int) -> None:
    """Ask the kernel to end this process when the demonstration ends, however that ends."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
        if os.getppid() != parent:
            os._exit(1)
