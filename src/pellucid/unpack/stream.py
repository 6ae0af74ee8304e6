"""Bytes of an archive file, plain or decompressed, in one bounded forward pass."""

from __future__ import annotations

import bz2
import errno
import lzma
import os
import stat
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO, Protocol

from pellucid.unpack.errors import SourceReadError, UnpackError
from pellucid.unpack.limits import Limits, exceeded
from pellucid.unpack.member import CHUNK, TreeSource

GZIP = b"\x1f\x8b"
BZIP2 = b"BZh"
XZ = b"\xfd7zXZ\0"
_UNDAMAGED = "get an undamaged copy"


class ByteStream(Protocol):
    """Something that is read forward."""

    def read(self, size: int, /) -> bytes:
        """Return at most `size` bytes, and none only at the end."""


@contextmanager
def open_archive(source: TreeSource) -> Iterator[BinaryIO]:
    """Open an archive file and, when the reader is through, refuse it if it changed meanwhile."""
    try:
        # Non-blocking, so that a FIFO cannot make us wait.
        file = os.fdopen(os.open(source.path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), "rb", buffering=0)
    except (FileNotFoundError, PermissionError, IsADirectoryError) as error:
        raise UnpackError(f"cannot be read: {error.strerror}", where=str(source), remedy="check the path") from error
    except OSError as error:
        if error.errno == errno.ENXIO:
            raise _no_file(source) from error
        raise SourceReadError(f"cannot be opened: {error.strerror}", where=str(source)) from error
    with file:
        before = os.fstat(file.fileno())
        if not stat.S_ISREG(before.st_mode):
            raise _no_file(source)
        yield file
        after = os.fstat(file.fileno())
        if (before.st_size, before.st_mtime_ns) != (after.st_size, after.st_mtime_ns):
            raise UnpackError(
                "it changed while it was read", where=str(source), remedy="try again when nothing writes to it"
            )


def _no_file(source: TreeSource) -> UnpackError:
    return UnpackError("it is no regular file", where=str(source), remedy="give a file or a directory")


class _Zlib:
    """zlib with the interface that bz2 and lzma have."""

    def __init__(self, wbits: int) -> None:
        self._inner = zlib.decompressobj(wbits)

    @property
    def eof(self) -> bool:
        return self._inner.eof

    @property
    def unused_data(self) -> bytes:
        return self._inner.unused_data

    @property
    def needs_input(self) -> bool:
        return not self._inner.unconsumed_tail and not self._inner.eof

    def decompress(self, data: bytes, max_length: int) -> bytes:
        return self._inner.decompress(self._inner.unconsumed_tail + data, max_length)


Decompressor = _Zlib | bz2.BZ2Decompressor | lzma.LZMADecompressor


def raw_deflate() -> Decompressor:
    """Return a decompressor for deflate without a header, as in a zip."""
    return _Zlib(-zlib.MAX_WBITS)


def _decompressor(magic: bytes, limits: Limits) -> Decompressor:
    if magic == GZIP:
        return _Zlib(zlib.MAX_WBITS | 16)
    if magic == BZIP2:
        return bz2.BZ2Decompressor()
    return lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=limits.memory)


class Decompressed:
    """The content of a gzip, bzip2 or xz file: all its streams one after the other, zero padding at the end allowed.

    Raises UnpackError when the data is damaged, cut short, followed by something else, or unpacks beyond the limits.
    """

    def __init__(self, packed: ByteStream, magic: bytes, source: TreeSource, limits: Limits) -> None:
        self._packed = packed
        self._magic = magic
        self._source = source
        self._limits = limits
        self._inner = _decompressor(magic, limits)
        self._waiting = b""
        self._taken = 0
        self._given = 0
        self._ended = False

    def read(self, size: int, /) -> bytes:
        """Return at most `size` bytes, and none only at the end."""
        while not self._ended:
            if self._inner.eof and not self._next_stream():
                break
            data = self._step(size)
            if data:
                self._count(len(data))
                return data
        return b""

    def _step(self, size: int) -> bytes:
        waiting, self._waiting = self._waiting, b""
        if self._inner.needs_input and not waiting:
            waiting = self._more()
        # At the end of the file there may still be output inside, so it is asked once more before giving up.
        try:
            data = self._inner.decompress(waiting, size)
        except (zlib.error, OSError, lzma.LZMAError, EOFError) as error:
            raise UnpackError(
                f"the compressed data is damaged or needs too much memory: {error}",
                where=str(self._source),
                remedy=_UNDAMAGED,
            ) from error
        if not data and not waiting and self._inner.needs_input and not self._inner.eof:
            raise UnpackError("the compressed data is cut short", where=str(self._source), remedy=_UNDAMAGED)
        return data

    def _next_stream(self) -> bool:
        """Go on to the stream behind the one that ended, if there is one; only xz allows zeros between them."""
        rest = self._inner.unused_data or self._more()
        padded = False
        while rest and not (bare := rest.lstrip(b"\0")):
            padded = True
            rest = self._more()
        if not rest:
            self._ended = True
            return False
        padded = padded or bare != rest
        if len(bare) < len(self._magic):
            bare += self._more()
        if not bare.startswith(self._magic) or (padded and self._magic != XZ):
            raise UnpackError(
                "other bytes follow the compressed data", where=str(self._source), remedy="compress the archive again"
            )
        self._inner = _decompressor(self._magic, self._limits)
        self._waiting = bare
        return True

    def _more(self) -> bytes:
        # Small pieces, because each of many short streams copies what is left of its piece.
        data = self._packed.read(CHUNK >> 4)
        self._taken += len(data)
        return data

    def _count(self, size: int) -> None:
        self._given += size
        check_ratio(self._given, self._taken, self._source, self._limits)


def check_ratio(given: int, taken: int, source: TreeSource, limits: Limits) -> None:
    """Refuse a source that unpacks to too much for its size."""
    if given > limits.ratio_floor and given > limits.ratio * max(taken, 1):
        raise exceeded(f"it unpacks to more than {limits.ratio} times its size (a bomb)", where=str(source))
    # Headers and padding count too: no honest archive is twice what its members are.
    if given > 2 * limits.total + limits.ratio_floor:
        raise exceeded(f"it unpacks to far more than {limits.total} bytes", where=str(source))


class ExactReader:
    """Reads whole pieces from a stream, which may give fewer bytes than it is asked for."""

    def __init__(self, stream: ByteStream, source: TreeSource) -> None:
        self._stream = stream
        self._source = source
        self._buffer = b""
        self._at = 0

    def take(self, size: int) -> bytes:
        """Return `size` bytes, fewer only at the end of the stream; for small pieces."""
        if len(self._buffer) - self._at >= size:
            piece = self._buffer[self._at : self._at + size]
            self._at += size
            return piece
        parts = [self._buffer[self._at :]]
        have = len(parts[0])
        self._buffer, self._at = b"", 0
        while have < size and (data := self._fill(CHUNK)):
            parts.append(data)
            have += len(data)
        whole = b"".join(parts)
        self._buffer, self._at = whole, min(size, len(whole))
        return whole[:size]

    def stream(self, size: int) -> Iterator[bytes]:
        """Yield `size` bytes in pieces, fewer only at the end of the stream."""
        while size:
            have = len(self._buffer) - self._at
            if have:
                piece = self._buffer[self._at : self._at + size]
                self._at += len(piece)
            else:
                piece = self._fill(min(size, CHUNK))
            if not piece:
                return
            size -= len(piece)
            yield piece

    def _fill(self, size: int) -> bytes:
        try:
            return self._stream.read(size)
        except OSError as error:
            raise SourceReadError(f"reading failed: {error.strerror}", where=str(self._source)) from error
