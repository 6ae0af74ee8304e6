"""A directory on disk as members, read without following a link."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass

from pellucid.statement.tree import Mode
from pellucid.unpack.errors import SourceReadError, UnpackError
from pellucid.unpack.limits import Limits, exceeded
from pellucid.unpack.member import CHUNK, Member, TreeSource, held, no_chunks

_DIRECTORY_FLAGS = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
# Non-blocking, so that a FIFO put in a file's place cannot make us wait.
_FILE_FLAGS = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_UNIX_NAMES = {stat.S_IFIFO: "a FIFO", stat.S_IFSOCK: "a socket", stat.S_IFBLK: "a device", stat.S_IFCHR: "a device"}


@dataclass(slots=True)
class _Level:
    path: bytes
    fd: int
    names: Iterator[bytes]
    mark: tuple[int, int, int]


def directory_members(source: TreeSource, limits: Limits) -> Iterator[Member]:
    """Yield every file, link and directory below a directory, in bytewise order of names, but its own top-level .git.

    Raises UnpackError for a nested .git, for FIFOs, sockets and devices, for what may not be read, and for a file that
    changes while it is read; SourceReadError when the disk fails.
    """
    walk = _Walk(source, limits)
    try:
        yield from walk.members()
    finally:
        walk.close()


class _Walk:
    """The open directories from the top to where reading is, so that no path is resolved twice."""

    def __init__(self, source: TreeSource, limits: Limits) -> None:
        self._source = source
        self._limits = limits
        self._levels: list[_Level] = []

    def close(self) -> None:
        for level in self._levels:
            os.close(level.fd)
        self._levels.clear()

    def members(self) -> Iterator[Member]:
        self._enter(b"", os.fsencode(self._source.path))
        while self._levels:
            level = self._levels[-1]
            name = next(level.names, None)
            if name is None:
                self._leave()
                continue
            if self._is_git(level, name):
                continue
            yield from self._entry(level, name)

    def _entry(self, level: _Level, name: bytes) -> Iterator[Member]:
        path = level.path + b"/" + name if level.path else name
        try:
            found = os.lstat(name, dir_fd=level.fd)
        except OSError as error:
            raise self._failure(path, error) from error
        if stat.S_ISREG(found.st_mode):
            yield from self._file(level.fd, name, path)
        elif stat.S_ISDIR(found.st_mode):
            yield Member(path, None, 0, no_chunks)
            self._enter(path, name)
        elif stat.S_ISLNK(found.st_mode):
            yield self._link(level.fd, name, path)
        else:
            kind = _UNIX_NAMES.get(stat.S_IFMT(found.st_mode), "neither file, link nor directory")
            raise UnpackError(f"it is {kind}", where=self._source.at(path), remedy="remove it from the source tree")

    def _enter(self, path: bytes, name: bytes) -> None:
        if len(self._levels) > self._limits.depth:
            raise exceeded(f"it lies deeper than {self._limits.depth} directories", where=self._source.at(path))
        try:
            flags = _DIRECTORY_FLAGS if path else _DIRECTORY_FLAGS & ~os.O_NOFOLLOW
            fd = os.open(name, flags, dir_fd=self._levels[-1].fd if self._levels else None)
        except OSError as error:
            raise self._failure(path, error) from error
        level = _Level(path, fd, iter(()), _mark(os.fstat(fd)))
        self._levels.append(level)
        try:
            with os.scandir(fd) as found:
                level.names = iter(sorted(os.fsencode(entry.name) for entry in found))
        except OSError as error:
            raise self._failure(path, error) from error

    def _leave(self) -> None:
        level = self._levels.pop()
        after = _mark(os.fstat(level.fd))
        os.close(level.fd)
        if after != level.mark:
            raise self._changed(level.path)

    def _is_git(self, level: _Level, name: bytes) -> bool:
        if name != b".git":
            return False
        if level.path:
            raise UnpackError(
                "it is a git repository of its own (a submodule or a nested clone)",
                where=self._source.at(level.path),
                remedy="identify that repository by itself, and leave it or its .git out of this tree",
            )
        return True

    def _file(self, directory: int, name: bytes, path: bytes) -> Iterator[Member]:
        try:
            fd = os.open(name, _FILE_FLAGS, dir_fd=directory)
        except OSError as error:
            raise self._failure(path, error) from error
        try:
            before = os.fstat(fd)
            if not stat.S_ISREG(before.st_mode):
                raise self._changed(path)
            mode = Mode.EXECUTABLE if before.st_mode & stat.S_IXUSR else Mode.FILE
            yield Member(path, mode, before.st_size, lambda: self._content(fd, before.st_size, path))
            if _mark(before) != _mark(os.fstat(fd)):
                raise self._changed(path)
        finally:
            os.close(fd)

    def _content(self, fd: int, size: int, path: bytes) -> Iterator[bytes]:
        left = size
        while True:
            # One byte more than announced: at the end it finds out a file that has grown.
            try:
                chunk = os.read(fd, min(left + 1, CHUNK))
            except OSError as error:
                raise self._failure(path, error) from error
            left -= len(chunk)
            if left < 0 or (left and not chunk):
                raise self._changed(path)
            if not chunk:
                return
            yield chunk

    def _link(self, directory: int, name: bytes, path: bytes) -> Member:
        try:
            target = os.readlink(name, dir_fd=directory)
        except OSError as error:
            raise self._failure(path, error) from error
        return Member(path, Mode.SYMLINK, len(target), held(target))

    def _changed(self, path: bytes) -> UnpackError:
        where = self._source.at(path) if path else str(self._source)
        return UnpackError("it changed while it was read", where=where, remedy="try again when nothing writes to it")

    def _failure(self, path: bytes, error: OSError) -> UnpackError | SourceReadError:
        where = self._source.at(path) if path else str(self._source)
        if isinstance(error, PermissionError):
            return UnpackError("it may not be read", where=where, remedy="give yourself the right to read it")
        if path and error.errno in {errno.ENOENT, errno.ELOOP, errno.ENOTDIR, errno.ENXIO}:
            return self._changed(path)
        return SourceReadError(f"reading failed: {error.strerror}", where=where)


def _mark(status: os.stat_result) -> tuple[int, int, int]:
    return status.st_size, status.st_mtime_ns, status.st_ctime_ns
