"""Every object store keeps the promises of the port."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from pellucid.errors import InputError
from pellucid.storage.failures import ConflictError, StorageError
from pellucid.storage.files import FileObjects
from pellucid.storage.objects import ObjectStore, ObjectTooLargeError


class ObjectStoreContract:
    """What any adapter must do; subclasses give `store`."""

    def test_gives_back_what_was_created_and_replaced(self, store: ObjectStore) -> None:
        store.create("tile/0/x001/067", b"hashes")
        store.replace("checkpoint", b"one")
        store.replace("checkpoint", b"two")
        store.sync()
        assert store.fetch("tile/0/x001/067") == b"hashes"
        assert store.fetch("checkpoint") == b"two"

    def test_has_nothing_where_nothing_was_put(self, store: ObjectStore) -> None:
        store.create("tile/0/000", b"x")
        assert store.fetch("tile/0/001") is None
        assert store.fetch("tile/0") is None
        assert store.fetch("tile/0/000/001") is None
        assert store.children("nowhere/") == []
        assert list(store.walk("nowhere/")) == []

    def test_creates_equal_bytes_again_and_refuses_others(self, store: ObjectStore) -> None:
        store.create("a/b", b"same")
        store.create("a/b", b"same")
        for other in (b"", b"sam", b"Same", b"same and more"):
            with pytest.raises(ConflictError):
                store.create("a/b", other)
        assert store.fetch("a/b") == b"same"

    def test_replaces_a_created_object(self, store: ObjectStore) -> None:
        store.create("a", b"old")
        store.replace("a", b"")
        assert store.fetch("a") == b""

    def test_refuses_to_read_more_than_the_limit(self, store: ObjectStore) -> None:
        store.create("a", b"12345")
        assert store.fetch("a", 5) == b"12345"
        with pytest.raises(ObjectTooLargeError):
            store.fetch("a", 4)

    def test_deletes_and_forgets_empty_folders(self, store: ObjectStore) -> None:
        store.create("tile/0/000.p/12", b"x")
        store.create("tile/0/000.p/13", b"y")
        store.delete("tile/0/000.p/12")
        store.delete("tile/0/000.p/12")
        assert store.children("tile/0/") == ["000.p/"]
        store.delete("tile/0/000.p/13")
        store.sync()
        assert store.children("tile/0/") == []
        store.create("tile/0/000.p/13", b"z")
        assert store.fetch("tile/0/000.p/13") == b"z"

    def test_lists_in_order_what_is_there(self, store: ObjectStore) -> None:
        for path in ("b/2", "b/1", "a", "c/d/e", "b.x"):
            store.create(path, path.encode())
        assert store.children("") == ["a", "b.x", "b/", "c/"]
        assert store.children("b/") == ["1", "2"]
        assert list(store.walk()) == ["a", "b.x", "b/1", "b/2", "c/d/e"]
        assert list(store.walk("c/")) == ["c/d/e"]

    @pytest.mark.parametrize(
        "path", ["", "/etc/passwd", "../x", "a/../b", "a//b", ".hidden", "a/.hidden", "a\0", "é", "x" * 2000, "a/"]
    )
    def test_refuses_odd_paths(self, store: ObjectStore, path: str) -> None:
        for act in (store.fetch, store.delete, lambda name: store.create(name, b"")):
            with pytest.raises(InputError):
                act(path)


class TestFileObjects(ObjectStoreContract):
    @pytest.fixture
    def store(self, tmp_path: Path) -> FileObjects:
        return FileObjects(tmp_path / "store")

    def test_leaves_nothing_of_a_killed_writer(self, store: FileObjects) -> None:
        incoming = store.root / ".incoming"
        incoming.mkdir(parents=True)
        (incoming / "1-dead-0").write_bytes(b"half")
        store.create("a", b"b")
        assert list(incoming.iterdir()) == []
        assert list(store.walk()) == ["a"]

    def test_says_that_the_disk_is_full(self) -> None:
        if not Path("/dev/full").exists():
            pytest.skip("no /dev/full on this system")
        with pytest.raises(StorageError) as told:
            _FullObjects(Path("/tmp")).create("never-there", b"x")  # noqa: S108 -- nothing is written
        assert told.value.what == "cannot write: the disk is full"
        assert told.value.remedy is not None

    def test_refuses_what_is_no_plain_file(self, store: FileObjects) -> None:
        store.create("a", b"")
        os.mkfifo(store.root / "fifo")
        with pytest.raises(ObjectTooLargeError):
            store.fetch("fifo")

    def test_reading_makes_no_folder(self, store: FileObjects) -> None:
        assert store.fetch("checkpoint") is None
        assert not store.root.exists()


class TestFileObjectsOneByOne(ObjectStoreContract):
    @pytest.fixture
    def store(self, tmp_path: Path) -> FileObjects:
        return FileObjects(tmp_path / "store", one_by_one=True)


class _FullObjects(FileObjects):
    def _write_aside(self, data: bytes, *, durable: bool) -> Path:  # noqa: ARG002 - as in the base class
        with Path("/dev/full").open("wb", buffering=0) as full:
            full.write(data)
        return Path()
