"""The log, the mirrors and the witness over HTTP: what clients of C2SP logs rely on, and what strangers get."""

from __future__ import annotations

import base64
import socket
from collections.abc import Callable
from hashlib import sha256
from typing import Any
from urllib.parse import urlsplit

import pytest

from pellucid.statement.dsse import Envelope
from pellucid.tlog.checkpoint import open_checkpoint
from pellucid.tlog.note import Verifier
from pellucid.tlog.tiles import Tile, parse_bundle

Sign = Callable[..., Envelope]
ENTRIES = 300


@pytest.fixture(scope="module")
def filled(node: Any, sign: Sign) -> Any:
    """The node with a full tile in its log."""
    for number in range(ENTRIES):
        assert node.submit(sign(number)).status == 201
    node.until(lambda: node.size() >= ENTRIES)
    return node


def test_the_log_is_served_with_its_types_and_lifetimes(filled: Any) -> None:
    checkpoint, bundle = filled.get("/checkpoint"), filled.get("/tile/entries/000")
    assert checkpoint.headers["content-type"] == "text/plain; charset=utf-8"
    assert checkpoint.headers["cache-control"] == "no-cache"
    assert bundle.headers["content-type"] == "application/octet-stream"
    assert "immutable" in bundle.headers["cache-control"]
    assert len(parse_bundle(bundle.body, Tile.parse("tile/entries/000"))) == 256
    partial = filled.get(f"/tile/0/001.p/{filled.size() - 256}")
    assert partial.status == 200
    assert "immutable" not in partial.headers["cache-control"]
    assert checkpoint.headers["access-control-allow-origin"] == "*"


def test_head_gives_the_headers_alone(filled: Any) -> None:
    got, head = filled.get("/tile/0/000"), filled.ask("HEAD", "/tile/0/000")
    assert head.body == b""
    assert head.headers["content-length"] == got.headers["content-length"] == str(256 * 32)


@pytest.mark.parametrize(
    "path",
    [
        "/tile/0/999",
        "/tile/0/000.p/256",
        "/tile/00/000",
        "/tile/0/x000/000",
        "/tile/0/../../keys/log.key",
        "/tile/0/..%2f..%2fkeys%2flog.key",
        "/tile/entries/000.p/0",
        "/tile/",
        "/checkpoints/999",
        "/checkpoints/../node.toml",
        "/log.db",
        "/keys/log.key",
        "/passphrase",
        "/mirror/" + "0" * 64 + "/checkpoint",
        "/mirror/" + "0" * 64 + "/origin.json",
        "/mirror/../checkpoint",
        "/witness/" + "0" * 64 + "/checkpoint",
        "/witness/x/checkpoint",
    ],
)
def test_what_no_log_has_is_not_found(filled: Any, path: str) -> None:
    assert filled.get(path).status == 404


def test_its_own_log_is_no_mirror(filled: Any) -> None:
    own = sha256(b"log.vendor.example/1").hexdigest()
    assert filled.get(f"/mirror/{own}/checkpoint").status == 404


@pytest.mark.parametrize(
    ("method", "path"), [("POST", "/checkpoint"), ("PUT", "/tile/0/000"), ("GET", "/add-checkpoint")]
)
def test_other_methods_are_refused_with_what_is_allowed(filled: Any, method: str, path: str) -> None:
    reply = filled.ask(method, path, b"x" if method != "GET" else None)
    assert reply.status == 405
    assert reply.headers["allow"] in {"GET, HEAD", "POST"}


def test_a_kept_checkpoint_is_signed_by_the_log(filled: Any) -> None:
    log = filled.get("/api/logs").json["logs"][0]
    sizes = filled.get(f"/api/logs/{log['id']}/checkpoints?limit=3").json["sizes"]
    for size in sizes:
        note = filled.get(f"/checkpoints/{size:03d}")
        opened = open_checkpoint(note.body, Verifier.parse(log["vkey"]))
        assert opened.checkpoint.size == size


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"old 0\n\n\n",
        b"old 0\n\n\nlog.other.example/1\n0\n\n",
        b"old 0\n\nlog.other.example/1\n1\nx\n\n\n\xe2\x80\x94 a b\n",
        b"old 0\n\nlog\x07.example\n0\n" + base64.b64encode(bytes(32)) + b"\n\n\xe2\x80\x94 a AAAAAAAA\n",
        b"old -1\n\n",
        b"old 99999999999999999999\n\n",
        b"\xff" * 100,
    ],
)
def test_notes_that_are_none_are_refused_by_the_witness(filled: Any, body: bytes) -> None:
    reply = filled.ask("POST", "/add-checkpoint", body)
    assert reply.status == 400
    assert reply.body.endswith(b"\n")


def test_a_log_that_is_not_joined_is_not_witnessed(filled: Any) -> None:
    note = filled.get("/checkpoint").body.replace(b"log.vendor.example/1", b"log.other.example/1")
    assert filled.ask("POST", "/add-checkpoint", b"old 0\n\n" + note).status == 404


@pytest.mark.parametrize("path", ["/add-checkpoint", "/api/statements"])
def test_bodies_are_bounded_however_they_come(filled: Any, path: str) -> None:
    address = urlsplit(filled.url)
    head = f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n".encode()
    with socket.create_connection((address.hostname or "", address.port or 0), timeout=20) as declared:
        declared.sendall(head + b"Content-Length: 2000000\r\n\r\n")
        assert declared.recv(100).startswith(b"HTTP/1.1 413")
    with socket.create_connection((address.hostname or "", address.port or 0), timeout=20) as chunked:
        chunked.sendall(head + b"Transfer-Encoding: chunked\r\n\r\n")
        for _ in range(17 if path == "/api/statements" else 3):  # just above the limit: nothing is left to be sent
            chunked.sendall(b"10000\r\n" + b"y" * 0x10000 + b"\r\n")
        assert chunked.recv(100).startswith(b"HTTP/1.1 413")


def test_clients_that_send_slowly_do_not_keep_others_from_reading(filled: Any) -> None:
    address = urlsplit(filled.url)
    slow = [socket.create_connection((address.hostname or "", address.port or 0), timeout=20) for _ in range(40)]
    for connection in slow:
        connection.sendall(b"POST /add-checkpoint HTTP/1.1\r\nHost: x\r\nContent-Length: 90000\r\n\r\nold")
    try:
        assert filled.get("/tile/0/000").status == 200
        assert filled.get("/").status == 200
    finally:
        for connection in slow:
            connection.close()
    assert filled.ask("POST", "/add-checkpoint", b"x").status == 400


def test_health_says_how_publication_stands(filled: Any) -> None:
    reply = filled.get("/healthz")
    assert reply.status == 200
    assert reply.json["ok"] is True
    assert reply.json["publication"]["required"] == 0


def test_a_stranger_cannot_choose_the_portals_name(filled: Any) -> None:
    assert filled.ask("GET", "/", Host="evil.example").status == 400
    assert filled.ask("GET", "/checkpoint", Host="evil.example").status == 200
