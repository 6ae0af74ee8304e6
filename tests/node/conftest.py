"""Nodes that talk to each other over loopback, behind the smallest HTTP server that speaks the paths."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from pellucid.errors import InputError, PellucidError, UnavailableError
from pellucid.node import DoorReply, Home, Node, Settings, create_home
from pellucid.record.card import read_card
from pellucid.record.predicate import RECEIPT, Outcome, Receipt
from pellucid.statement import keys as key_files
from pellucid.statement.dsse import Envelope
from pellucid.statement.intoto import Statement
from pellucid.statement.keys import Role
from pellucid.statement.predicate import read_predicate
from pellucid.storage.files import FileObjects
from pellucid.tlog.fsck import fsck
from pellucid.tlog.reader import FileTiles

PASSPHRASE = b"correct horse"
JSON = "application/json"


class Server:
    """One node's HTTP, as a site would serve it; `stop` is the plug being pulled."""

    def __init__(self) -> None:
        self.node: Node | None = None
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                self.answer(b"")

            def do_POST(self) -> None:
                self.answer(self.rfile.read(int(self.headers.get("Content-Length", 0))))

            def answer(self, body: bytes) -> None:
                reply = outer.reply(self.command, self.path.lstrip("/"), body)
                self.send_response(reply.status)
                self.send_header("Content-Type", reply.content_type)
                self.send_header("Content-Length", str(len(reply.body)))
                self.end_headers()
                self.wfile.write(reply.body)

            def log_message(self, *_args: object) -> None:
                return

        class Quiet(ThreadingHTTPServer):
            """Says nothing of clients that hang up."""

            def handle_error(self, *_args: object) -> None:
                return

        self.server = Quiet(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.listen = f"127.0.0.1:{self.server.server_address[1]}"
        Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    def reply(self, method: str, path: str, body: bytes) -> DoorReply:
        node = self.node
        if node is None:
            return DoorReply(503, JSON, b"{}")
        try:
            return _api(node, method, path, body) if path.startswith("api/") else _doors(node, method, path, body)
        except InputError as error:
            return DoorReply(404, JSON, json.dumps(error.as_json()).encode())
        except UnavailableError as error:
            return DoorReply(503, JSON, json.dumps(error.as_json()).encode())
        except PellucidError as error:
            return DoorReply(400, JSON, json.dumps(error.as_json()).encode())

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()


def _doors(node: Node, method: str, path: str, body: bytes) -> DoorReply:
    if method == "POST" and path == "add-checkpoint":
        return node.doors.add_checkpoint(body)
    first, _, rest = path.partition("/")
    log, _, file = rest.partition("/")
    if first == "mirror":
        return node.doors.mirror_file(log, file)
    if first == "witness" and file == "checkpoint":
        return node.doors.witness_checkpoint(log)
    return node.doors.log_file(path)


def _api(node: Node, method: str, path: str, body: bytes) -> DoorReply:  # noqa: PLR0911 - one answer for each path
    path, _, query = path.partition("?")
    parts = path.split("/")[1:]
    if method == "POST" and parts == ["statements"]:
        receipt = node.submit(body)
        accepted = read_receipt(receipt).outcome is Outcome.ACCEPTED
        return DoorReply(201 if accepted else 403, JSON, receipt.to_bytes())
    if method == "POST" and parts == ["lookup"]:
        asked = json.loads(body)
        found = node.lookup(asked["refs"], asked["log"], asked["size"])
        listed = [{"index": i, "envelope": Envelope.parse(e).as_json()} for i, e in found.entries]
        return _json(
            {
                "completeness": found.completeness.as_json(),
                "checkpoint": found.checkpoint.decode(),
                "statements": listed,
            }
        )
    if parts == ["card"]:
        return DoorReply(200, JSON, node.card().to_bytes())
    if parts[0] == "keys":
        key = node.views.key(parts[1])
        return DoorReply(404, JSON, b"{}") if key is None else _json({"spki": key.spki_base64})
    if parts[0] == "logs" and parts[2:] == ["checkpoints"]:
        values = dict(item.split("=") for item in query.split("&"))
        sizes = node.doors.kept_sizes(parts[1], int(values["after"]), int(values["limit"]))
        return DoorReply(404, JSON, b"{}") if sizes is None else _json({"sizes": sizes})
    if parts[0] == "logs" and parts[2:4] == ["checkpoints", "covering"]:
        covering = node.doors.covering(parts[1], int(parts[4]))
        if covering is not None:
            return _json({"size": covering[0], "note": covering[1].decode()})
    return DoorReply(404, JSON, b"{}")


def _json(value: Any) -> DoorReply:
    return DoorReply(200, JSON, json.dumps(value).encode())


def read_receipt(envelope: Envelope) -> Receipt:
    receipt: Receipt = read_predicate(Statement.parse(envelope.payload), RECEIPT)
    return receipt


class Town:
    """Nodes of one test, each with its server; all started nodes are stopped and checked at the end."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.homes: dict[str, Home] = {}
        self.servers: dict[str, Server] = {}
        self.nodes: dict[str, Node] = {}
        self.fatal: list[BaseException] = []

    def build(self, name: str, **changes: object) -> Home:
        server = self.servers[name] = Server()
        values = {
            "name": f"{name}.example",
            "role": "vendor" if name == "vendor" else "center",
            "region": name,
            "operator": f"{name} operator",
            "listen": server.listen,
            "publish_every": 0.05,
            "mirror_every": 0.1,
        }
        settings = Settings(**{**values, **changes})  # type: ignore[arg-type]
        home = self.homes[name] = create_home(self.root / name, settings, PASSPHRASE)
        return home

    def join(self, *names: str) -> None:
        cards = {name: read_card(self.homes[name].card(PASSPHRASE).to_bytes()) for name in names}
        for name in names:
            for other in names:
                if other != name:
                    self.homes[name].add_peer(cards[other])

    def start(self, *names: str) -> None:
        for name in names:
            node = self.nodes[name] = Node.open(self.homes[name], PASSPHRASE, on_fatal=self.fatal.append)
            self.servers[name].node = node
            node.start()
            node.home.announce(f"http://{self.servers[name].listen}")

    def stop(self, name: str) -> None:
        self.servers[name].node = None
        self.nodes.pop(name).stop()

    def close(self) -> None:
        for name in list(self.nodes):
            self.stop(name)
        for server in self.servers.values():
            server.close()

    def check(self) -> None:
        """Every log and mirror there is, to the last file."""
        assert self.fatal == []
        for home in self.homes.values():
            if (home.log_folder / "checkpoint").exists():
                report = fsck(FileTiles(FileObjects(home.log_folder)), home.verifier(Role.LOG))
                assert report.problems == []
            for log_id, verifier in home.mirrored().items():
                if (home.mirror_folder(log_id) / "checkpoint").exists():
                    tiles = FileTiles(FileObjects(home.mirror_folder(log_id)))
                    assert fsck(tiles, verifier, known_files=["origin.json"], is_mirror=True).problems == []


def until(condition: Callable[[], object], seconds: float = 15.0) -> None:
    """Wait until the condition holds, or fail."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "did not happen in time"
        time.sleep(0.02)


@pytest.fixture(autouse=True)
def quick_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    """Key files are sealed with the least work that they may have."""
    monkeypatch.setattr(key_files, "_SCRYPT_N", 1024)


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Town]:
    found = Town(tmp_path)
    yield found
    found.close()
    found.check()
