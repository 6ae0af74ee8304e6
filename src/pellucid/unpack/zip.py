"""A zip or wheel as members, read in the order of the file.

Read here and not by the standard library's module, which follows the directory only: a member that is stated
differently in its own header, or lies hidden between others, is what an attacker needs so that one program identifies
other files than another one unpacks.
"""

from __future__ import annotations

import bz2
import os
import stat
import zlib
from collections.abc import Iterator
from functools import partial
from typing import BinaryIO

from pellucid.statement.tree import Mode
from pellucid.unpack.errors import SourceReadError, UnpackError
from pellucid.unpack.limits import Limits, exceeded
from pellucid.unpack.member import CHUNK, Member, TreeSource, no_chunks
from pellucid.unpack.names import archive_path
from pellucid.unpack.stream import Decompressor, check_ratio, raw_deflate
from pellucid.unpack.zip_directory import (
    ENCRYPTED,
    UTF8,
    DirectoryError,
    Entry,
    check_gap,
    content_start,
    entries,
    find_end,
    read_at,
)

_STORED, _DEFLATED, _BZIP2, _AES = 0, 8, 12, 99
_UNIX_MADE = {3, 19}
_DOS_DIRECTORY = 0x10
_PRIVILEGED = 0o6000
_AGAIN = "make the archive again with a current zip"
_UNDAMAGED = "get an undamaged copy"


def zip_members(file: BinaryIO, source: TreeSource, limits: Limits) -> Iterator[Member]:
    """Yield the members of a zip in the order of the file; raises UnpackError for all that a source tree cannot be."""
    reader = _ZipReader(file.fileno(), source, limits)
    try:
        yield from reader.members()
    except DirectoryError as error:
        where = str(source) if error.name is None else source.at(error.name)
        raise UnpackError(str(error), where=where, remedy=_AGAIN) from error
    except OSError as error:
        raise SourceReadError(f"reading failed: {error.strerror}", where=str(source)) from error


class _ZipReader:
    def __init__(self, fd: int, source: TreeSource, limits: Limits) -> None:
        self._fd = fd
        self._source = source
        self._limits = limits

    def members(self) -> Iterator[Member]:
        end = find_end(self._fd)
        if end.count > self._limits.members:
            raise exceeded(f"it has more than {self._limits.members} members", where=str(self._source))
        listed = sorted(entries(self._fd, end, path_length=self._limits.path_length), key=lambda entry: entry.offset)
        self._check_total(listed)
        offsets = [entry.offset for entry in listed] + [end.offset]
        if offsets[0] != 0:
            raise DirectoryError("data stands before the first member")
        for entry, following in zip(listed, offsets[1:], strict=True):
            if entry.offset == following:
                raise DirectoryError("it overlaps another member", entry.name)
            start = content_start(self._fd, entry)
            check_gap(self._fd, entry, start + entry.packed, following)
            member = self._member(entry, start)
            if member.path or member.mode is not None:
                yield member

    def _check_total(self, listed: list[Entry]) -> None:
        total = sum(entry.size for entry in listed)
        check_ratio(total, os.fstat(self._fd).st_size, self._source, self._limits)

    def _member(self, entry: Entry, start: int) -> Member:
        name = entry.name
        if entry.flags & ENCRYPTED or entry.method == _AES:
            raise self._refusal("it is encrypted", entry, remedy="give an archive that is not")
        if b"\\" in name:
            raise self._refusal("its name holds a backslash, which some programs take for '/'", entry)
        if entry.flags & UTF8 and not _is_utf8(name):
            raise self._refusal("its name is said to be UTF-8 and is not", entry)
        path = archive_path(name, self._source)
        mode = self._mode(entry)
        if mode is None:
            if entry.size:
                raise self._refusal("it is a directory, and yet has a size", entry)
            return Member(path, None, 0, no_chunks)
        if entry.size > self._limits.member_size:
            raise exceeded(f"it has {entry.size} bytes, more than {self._limits.member_size}", where=self._at(entry))
        return Member(path, mode, entry.size, partial(self._content, entry, start))

    def _mode(self, entry: Entry) -> Mode | None:
        """Settle what a member is from its name and Unix mode; None is a directory."""
        unix = entry.attributes >> 16
        kind = stat.S_IFMT(unix)
        as_directory = entry.name.endswith(b"/")
        if as_directory or kind == stat.S_IFDIR:
            if not as_directory or kind not in {0, stat.S_IFDIR}:
                raise self._refusal("its name and its type disagree on whether it is a directory", entry)
            return None
        if entry.attributes & _DOS_DIRECTORY and not kind:
            raise self._refusal("its name and its type disagree on whether it is a directory", entry)
        if kind == stat.S_IFLNK and entry.made_by in _UNIX_MADE:
            return Mode.SYMLINK
        if kind not in {0, stat.S_IFREG}:
            raise self._refusal("it is a device, FIFO or socket, or a link not made on Unix", entry)
        if unix & _PRIVILEGED:
            raise self._refusal("it is a program that would run with its owner's rights (setuid or setgid)", entry)
        is_unix = kind == stat.S_IFREG or entry.made_by in _UNIX_MADE
        return Mode.EXECUTABLE if is_unix and unix & stat.S_IXUSR else Mode.FILE

    def _content(self, entry: Entry, start: int) -> Iterator[bytes]:
        crc = 0
        left = entry.size
        for chunk in self._unpacked(entry, start):
            crc = zlib.crc32(chunk, crc)
            left -= len(chunk)
            if left < 0:
                break
            yield chunk
        if left or crc != entry.crc:
            raise self._refusal("its content is not what its header states", entry, remedy=_UNDAMAGED)

    def _unpacked(self, entry: Entry, start: int) -> Iterator[bytes]:
        packed = self._packed(start, entry.packed)
        if entry.method == _STORED:
            yield from packed
        elif entry.method == _DEFLATED:
            yield from self._inflated(raw_deflate(), packed, entry)
        elif entry.method == _BZIP2:
            yield from self._inflated(bz2.BZ2Decompressor(), packed, entry)
        else:
            raise self._refusal(f"it is packed by method {entry.method}", entry, remedy="pack it by deflate")

    def _packed(self, start: int, size: int) -> Iterator[bytes]:
        while size:
            try:
                piece = read_at(self._fd, start, min(size, CHUNK))
            except DirectoryError as error:
                raise UnpackError(str(error), where=str(self._source), remedy=_UNDAMAGED) from error
            except OSError as error:
                raise SourceReadError(f"reading failed: {error.strerror}", where=str(self._source)) from error
            start += len(piece)
            size -= len(piece)
            yield piece

    def _inflated(self, inner: Decompressor, packed: Iterator[bytes], entry: Entry) -> Iterator[bytes]:
        waiting = b""
        while not inner.eof:
            last = False
            if inner.needs_input:
                waiting = next(packed, b"")
                last = not waiting
            try:
                data = inner.decompress(waiting, CHUNK)
            except (zlib.error, OSError, EOFError) as error:
                raise self._refusal(f"its packed content is damaged: {error}", entry, remedy=_UNDAMAGED) from error
            waiting = b""
            if data:
                yield data
            elif last and not inner.eof:
                raise self._refusal("its packed content is cut short", entry, remedy=_UNDAMAGED)
        if inner.unused_data or next(packed, b""):
            raise self._refusal("other bytes follow its packed content", entry)

    def _at(self, entry: Entry) -> str:
        return self._source.at(entry.name)

    def _refusal(self, what: str, entry: Entry, *, remedy: str = _AGAIN) -> UnpackError:
        return UnpackError(what, where=self._at(entry), remedy=remedy)


def _is_utf8(name: bytes) -> bool:
    try:
        name.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True
