"""A stranger's log is read in bounded pieces, and nothing of it is believed that does not lead to its checkpoint."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.tlog.homes import LOG, ORIGIN, LogHome, grow, numbered_entries
from tests.tlog.served import Answer, node, serving

from pellucid.errors import EvidenceError, InputError
from pellucid.storage.objects import MAX_OBJECT
from pellucid.tlog.checkpoint import Checkpoint, sign_checkpoint
from pellucid.tlog.errors import ProofError, TileError
from pellucid.tlog.merkle import EMPTY_ROOT, leaf_hash, verify_inclusion
from pellucid.tlog.reader import ForkError, LogReader
from pellucid.tlog.sources import FileTiles, HttpTiles, TileSource
from pellucid.tlog.web import RemoteError, WebClient

COUNT = 700


class Changed:
    """A source that serves other bytes for some paths, None to withhold them."""

    def __init__(self, inner: TileSource, changes: dict[str, bytes | None]) -> None:
        self.inner = inner
        self.changes = changes

    def fetch(self, path: str, limit: int = MAX_OBJECT) -> bytes | None:
        return self.changes[path] if path in self.changes else self.inner.fetch(path, limit)

    def kept(self, after: int, limit: int) -> list[int]:
        return list(self.inner.kept(after, limit))


@pytest.fixture
def grown(home: LogHome) -> LogHome:
    publisher = home.open()
    for stop in (3, 260, COUNT):
        grow(publisher, *numbered_entries(0, stop))
    return home


def reader(home: LogHome, changes: dict[str, bytes | None] | None = None) -> LogReader:
    return LogReader(Changed(FileTiles(home.store), changes or {}), LOG.verifier)


def flipped(home: LogHome, path: str) -> bytes:
    data = home.store.fetch(path)
    assert data is not None
    return data[:40] + bytes([data[40] ^ 1]) + data[41:]


def test_over_http_as_from_files(grown: LogHome) -> None:
    with serving(node(grown.store)) as url:
        over_http = LogReader(HttpTiles(url, ORIGIN), LOG.verifier)
        head = over_http.checkpoint().checkpoint
        for index in (0, 255, 256, 511, COUNT - 1):
            entry = over_http.entry(index)
            assert entry == b"entry %d" % index
            verify_inclusion(leaf_hash(entry), index, head.size, over_http.inclusion(index), head.root)
        first = over_http.covering(3)
        assert first is not None
        assert first.checkpoint.size == 260
        assert over_http.covering(COUNT) is None
        assert over_http.kept_checkpoint(5) is None
        assert over_http.consistency(260) == reader(grown).consistency(260)


@pytest.mark.parametrize("path", ["tile/0/000", "tile/0/001", "tile/0/002.p/188", "tile/1/000.p/2"])
def test_a_changed_tile_is_named(grown: LogHome, path: str) -> None:
    with pytest.raises(TileError) as told:
        list(reader(grown, {path: flipped(grown, path)}).entries(0, COUNT))
    assert path in str(told.value.where)
    with pytest.raises(TileError):
        list(reader(grown, {path: None}).entries(0, COUNT))


@pytest.mark.parametrize("path", ["tile/entries/000", "tile/entries/002.p/188"])
def test_a_changed_entry_is_not_returned(grown: LogHome, path: str) -> None:
    changed = reader(grown, {path: flipped(grown, path)})
    with pytest.raises(TileError, match="does not match"):
        list(changed.entries(0, COUNT))


def test_the_full_tile_serves_where_the_partial_one_is_gone(grown: LogHome) -> None:
    old = grown.reader()
    old.checkpoint()
    grow(grown.open(), *numbered_entries(COUNT, 1000))
    assert grown.store.fetch("tile/0/002.p/188") is None
    assert old.entry(COUNT - 1) == b"entry %d" % (COUNT - 1)
    assert old.checkpoint().checkpoint.size == 1000
    assert old.entry(999) == b"entry 999"


def test_there_is_nothing_beyond_the_end(grown: LogHome) -> None:
    for act in (lambda: reader(grown).entry(COUNT), lambda: reader(grown).inclusion(COUNT)):
        with pytest.raises(ProofError):
            act()
    with pytest.raises(ProofError):
        reader(grown).root(COUNT + 1)


def test_a_checkpoint_must_be_signed_by_the_log(grown: LogHome) -> None:
    note = grown.store.fetch("checkpoint")
    assert note is not None
    for wrong in (None, b"", note.replace(b"700", b"701"), b"other" + note):
        with pytest.raises(EvidenceError):
            reader(grown, {"checkpoint": wrong}).checkpoint()


def test_a_fork_is_told_with_both_checkpoints(grown: LogHome) -> None:
    source = Changed(FileTiles(grown.store), {})
    following = LogReader(source, LOG.verifier)
    held = following.checkpoint()
    source.changes["checkpoint"] = sign_checkpoint(Checkpoint(ORIGIN, COUNT, EMPTY_ROOT), LOG).to_bytes()
    with pytest.raises(ForkError) as told:
        following.checkpoint()
    assert told.value.held == held.to_bytes()
    assert told.value.offered == source.changes["checkpoint"]


def test_an_older_checkpoint_does_not_replace_a_newer_one(grown: LogHome) -> None:
    source = Changed(FileTiles(grown.store), {})
    following = LogReader(source, LOG.verifier)
    following.checkpoint()
    source.changes["checkpoint"] = grown.store.fetch("checkpoints/260")
    assert following.checkpoint().checkpoint.size == COUNT


def test_a_kept_checkpoint_must_be_of_this_tree(grown: LogHome) -> None:
    wrong = sign_checkpoint(Checkpoint(ORIGIN, 260, EMPTY_ROOT), LOG).to_bytes()
    with pytest.raises(ForkError):
        reader(grown, {"checkpoints/260": wrong}).covering(3)
    with pytest.raises(EvidenceError):
        reader(grown, {"checkpoints/260": grown.store.fetch("checkpoints/003")}).covering(3)


@pytest.mark.parametrize(
    "answer",
    [
        (302, "text/plain", b"http://127.0.0.1:1/checkpoint"),
        (500, "text/plain", b""),
        (200, "text/plain", b"x" * 1000),
    ],
)
def test_a_server_that_misbehaves_is_an_error_not_an_answer(answer: Answer) -> None:
    with serving(lambda _method, _target, _body: answer) as url, pytest.raises(RemoteError) as told:
        HttpTiles(url, ORIGIN).fetch("checkpoint", 999)
    assert url in str(told.value.where)


@pytest.mark.parametrize(
    "listing",
    [b"", b"[]", b'{"sizes": 1}', b'{"sizes": [2, 2]}', b'{"sizes": [1]}', b'{"sizes": [true, 3.5]}', b"[" * 9999],
)
def test_a_listing_that_is_none_is_refused(listing: bytes) -> None:
    with serving(lambda _method, _target, _body: (200, "application/json", listing)) as url, pytest.raises(RemoteError):
        HttpTiles(url, ORIGIN).kept(1, 10)


def test_a_listing_longer_than_asked_is_refused() -> None:
    with serving(lambda *_: (200, "application/json", b'{"sizes": [2, 3, 4]}')) as url:
        assert HttpTiles(url, ORIGIN).kept(1, 3) == [2, 3, 4]
        with pytest.raises(RemoteError):
            HttpTiles(url, ORIGIN).kept(1, 2)


def test_a_server_without_the_listing_keeps_none() -> None:
    with serving(lambda *_: None) as url:
        assert HttpTiles(url, ORIGIN).kept(1, 3) == []
        assert HttpTiles(url, ORIGIN).fetch("checkpoint") is None


@pytest.fixture
def dripping() -> Iterator[str]:
    """Serve a header byte by byte, for ever."""
    listener = socket.create_server(("127.0.0.1", 0))
    stop = threading.Event()

    def drip() -> None:
        connection, _ = listener.accept()
        with connection:
            connection.sendall(b"HTTP/1.1 200 OK\r\nX-Slow: ")
            while not stop.wait(0.05):
                try:
                    connection.sendall(b"x")
                except OSError:
                    return

    thread = threading.Thread(target=drip)
    thread.start()
    yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    stop.set()
    thread.join()
    listener.close()


def test_a_server_that_sends_a_byte_at_a_time_is_cut_off(dripping: str) -> None:
    started = time.monotonic()
    with pytest.raises(RemoteError):
        WebClient(dripping, timeout=1, deadline=0.5).get("checkpoint", limit=100)
    assert time.monotonic() - started < 3


def test_a_connection_that_went_stale_is_made_again(grown: LogHome) -> None:
    with serving(node(grown.store)) as url:
        source = HttpTiles(url, ORIGIN)
        first = source.fetch("checkpoint")
        connection = source._files._connection
        assert connection is not None
        connection.sock.shutdown(socket.SHUT_RDWR)
        assert source.fetch("checkpoint") == first


@pytest.mark.parametrize(
    "url", ["", "ftp://x", "file:///etc", "http://", "http://a b", "http://u:p@x", "http://x:99999", "http://x?q"]
)
def test_odd_urls_are_refused(url: str) -> None:
    with pytest.raises(InputError):
        WebClient(url)


def test_reading_makes_nothing(tmp_path: Path) -> None:
    from pellucid.storage.files import FileObjects

    with pytest.raises(EvidenceError, match="no checkpoint"):
        LogReader(FileTiles(FileObjects(tmp_path / "none")), LOG.verifier).checkpoint()
    assert list(tmp_path.iterdir()) == []
