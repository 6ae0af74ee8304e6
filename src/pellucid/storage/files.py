"""The object store on a directory, servable as it lies by any web server."""

from __future__ import annotations

import ctypes
import itertools
import os
import platform
import stat
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

from pellucid.errors import UnavailableError
from pellucid.storage.failures import ConflictError, fatal_io
from pellucid.storage.objects import MAX_OBJECT, ObjectTooLargeError, check_path

_INCOMING = ".incoming"
_SYNCFS_REPORTS_ERRORS = (5, 8)
_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC


def _load_syncfs() -> Callable[[int], int] | None:
    """Return the C library's syncfs, or None where it is missing or would hide a failed write-back."""
    release = platform.release().split(".")
    if platform.system() != "Linux" or not all(part.isdigit() for part in release[:2]):
        return None
    if (int(release[0]), int(release[1])) < _SYNCFS_REPORTS_ERRORS:
        return None
    function: Callable[[int], int] | None = getattr(ctypes.CDLL(None, use_errno=True), "syncfs", None)
    return function


class FileObjects:
    """`ObjectStore` on the directory `root`, which is made when first written to.

    `sync` is one `syncfs` of the file system that holds `root`; `one_by_one`, or a system without a syncfs
    that reports errors, makes it an `fsync` of each file and directory touched since the last.
    One process may write, from any number of threads.
    """

    def __init__(self, root: Path, *, one_by_one: bool = False) -> None:
        self.root = root
        self._syncfs = None if one_by_one else _load_syncfs()
        self._root_fd: int | None = None
        self._names = itertools.count()
        self._dirty: set[Path] = set()
        self._mutex = threading.Lock()
        self._opening = threading.Lock()

    def fetch(self, path: str, limit: int = MAX_OBJECT) -> bytes | None:
        """Read a plain file; see `ObjectStore.fetch`. `UnavailableError` if the disk does not give it."""
        target = self.root / check_path(path)
        try:
            descriptor = os.open(target, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as error:
            raise UnavailableError(f"cannot be read: {error.strerror}", where=str(target)) from error
        try:
            mode = os.fstat(descriptor).st_mode
            if stat.S_ISDIR(mode):
                return None
            if not stat.S_ISREG(mode):
                raise ObjectTooLargeError("is not a plain file", where=str(target))
            with os.fdopen(descriptor, "rb", closefd=False) as file:
                data = file.read(limit + 1)
        except OSError as error:
            raise UnavailableError(f"cannot be read: {error.strerror}", where=str(target)) from error
        finally:
            os.close(descriptor)
        if len(data) > limit:
            raise ObjectTooLargeError(f"is larger than {limit} bytes", where=str(target))
        return data

    def create(self, path: str, data: bytes) -> None:
        """Write to the side and link into place; see `ObjectStore.create`."""
        target = self.root / check_path(path)
        with fatal_io("cannot write", str(target)):
            if not target.exists():
                temporary = self._write_aside(data, durable=False)
                self._touch(target, target.parent, *self._move(temporary, target))
                return
        if not self._holds(path, data):
            raise ConflictError(
                "other bytes are already stored here",
                where=str(target),
                remedy="stop every other writer of this home, and run `pellucid fsck` before starting again",
            )
        self._touch(target, target.parent)

    def replace(self, path: str, data: bytes) -> None:
        """Write to the side, fsync, rename, fsync the directory; see `ObjectStore.replace`."""
        target = self.root / check_path(path)
        with fatal_io("cannot write", str(target)):
            temporary = self._write_aside(data, durable=True)
            for directory in {target.parent, *self._move(temporary, target)}:
                _fsync(directory)

    def delete(self, path: str) -> None:
        """Remove the file, and its directory if that is empty now; see `ObjectStore.delete`."""
        target = self.root / check_path(path)
        with fatal_io("cannot delete", str(target)):
            target.unlink(missing_ok=True)
            self._touch(target.parent)
        parent = target.parent
        if parent != self.root:
            try:
                parent.rmdir()
            except OSError:
                return
            self._touch(parent.parent)

    def sync(self) -> None:
        """See `ObjectStore.sync`."""
        with fatal_io("cannot sync to disk", str(self.root)):
            if self._syncfs is not None:
                if self._syncfs(self._open_root()) != 0:
                    code = ctypes.get_errno()
                    raise OSError(code, os.strerror(code))
                return
            with self._mutex:
                dirty, self._dirty = self._dirty, set()
            for path in sorted(dirty, key=lambda path: -len(path.parts)):
                _fsync(path)

    def children(self, prefix: str) -> list[str]:
        """See `ObjectStore.children`; hidden names are not listed."""
        directory = self.root / check_path(prefix.rstrip("/")) if prefix else self.root
        try:
            with os.scandir(directory) as entries:
                found = [(e.name, e.is_dir(follow_symlinks=False)) for e in entries if e.name[:1] != "."]
        except (FileNotFoundError, NotADirectoryError):
            return []
        except OSError as error:
            raise UnavailableError(f"cannot be listed: {error.strerror}", where=str(directory)) from error
        return sorted(name + "/" if is_directory else name for name, is_directory in found)

    def walk(self, prefix: str = "") -> Iterator[str]:
        """See `ObjectStore.walk`."""
        for name in self.children(prefix):
            if name.endswith("/"):
                yield from self.walk(prefix + name)
            else:
                yield prefix + name

    def close(self) -> None:
        """Give back the directory handle; the store may be used again afterwards."""
        if self._root_fd is not None:
            os.close(self._root_fd)
            self._root_fd = None

    def _holds(self, path: str, data: bytes) -> bool:
        try:
            return self.fetch(path, len(data)) == data
        except ObjectTooLargeError:
            return False

    def _open_root(self) -> int:
        with self._opening:
            return self._prepare_root() if self._root_fd is None else self._root_fd

    def _prepare_root(self) -> int:
        incoming = self.root / _INCOMING
        incoming.mkdir(parents=True, exist_ok=True)
        # syncfs reports only what failed since the descriptor was opened, so it must predate every write.
        descriptor = os.open(self.root, _DIRECTORY)
        self._touch(self.root, self.root.parent)
        for leftover in incoming.iterdir():
            if not leftover.name.startswith(f"{os.getpid()}-"):
                leftover.unlink(missing_ok=True)
        self._root_fd = descriptor
        return descriptor

    def _write_aside(self, data: bytes, *, durable: bool) -> Path:
        self._open_root()
        temporary = self.root / _INCOMING / f"{os.getpid()}-{id(self):x}-{next(self._names)}"
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o644)
        try:
            view = memoryview(data)
            while view:
                view = view[os.write(descriptor, view) :]
            if durable:
                os.fsync(descriptor)
        finally:
            os.close(descriptor)
        return temporary

    def _move(self, temporary: Path, target: Path) -> list[Path]:
        """Put the file in its place; return the directories that got a new directory for it."""
        try:
            temporary.rename(target)
        except FileNotFoundError:
            missing = [parent for parent in target.parents if not parent.exists()]
            target.parent.mkdir(parents=True, exist_ok=True)
            temporary.rename(target)
            return [directory.parent for directory in missing]
        return []

    def _touch(self, *paths: Path) -> None:
        if self._syncfs is None:
            with self._mutex:
                self._dirty.update(paths)


def _fsync(path: Path) -> None:
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
