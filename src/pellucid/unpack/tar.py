"""A tar, plain or compressed, as members, in one forward pass.

Read here and not by the standard library's module, which ends in silence at a damaged header, holds extended headers of
any size in memory and lets the later of two contradicting headers win: what it hides is what an attacker needs so that
one program identifies other files than another one unpacks.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

from pellucid.statement.tree import Mode, printable_path
from pellucid.unpack.errors import UnpackError
from pellucid.unpack.limits import Limits, exceeded
from pellucid.unpack.member import Member, TreeSource, held, no_chunks
from pellucid.unpack.names import archive_path
from pellucid.unpack.stream import ByteStream, ExactReader
from pellucid.unpack.tar_header import BLOCK, Header, HeaderError, Pax, parse_header, parse_long_name, parse_pax

_ZEROS = bytes(BLOCK)
_FILE_KINDS = {b"0", b"\0", b"7"}
_REFUSED_KINDS = {
    b"3": "a character device",
    b"4": "a block device",
    b"6": "a FIFO",
    b"S": "a sparse file",
    b"M": "a part of a file from another volume",
    b"D": "a directory dump",
}
_PRIVILEGED = 0o6000
_OCTAL_LIMIT = 8**11
_AGAIN = "make the archive again with a current tar"


def tar_members(stream: ByteStream, source: TreeSource, limits: Limits) -> Iterator[Member]:
    """Yield the members of a tar in their order; raises UnpackError for all that a source tree cannot be.

    The content of a member that was not read is skipped. Hard links come as copies of the first member of that content.
    """
    reader = _TarReader(stream, source, limits)
    yield from reader.members()


@dataclass(slots=True)
class _Extended:
    """The extended headers that stand before a member."""

    pax: Pax | None = None
    name: bytes | None = None
    link: bytes | None = None
    size: int = 0
    seen: bool = False


class _TarReader:
    def __init__(self, stream: ByteStream, source: TreeSource, limits: Limits) -> None:
        self._source = source
        self._limits = limits
        self._input = ExactReader(stream, source)
        self._last = b""
        self._content: Iterator[bytes] = iter(())
        self._content_size = 0
        self._left = 0
        self._originals: dict[bytes, tuple[bytes, Mode]] = {}

    def members(self) -> Iterator[Member]:
        extended = _Extended()
        while (block := self._block()) != _ZEROS:
            try:
                header = parse_header(block)
                if self._extend(extended, header):
                    continue
                name, link, size = _settled(header, extended)
            except HeaderError as error:
                raise self._refusal(str(error)) from error
            self._last = name
            extended = _Extended()
            member = self._member(header, name, link, size)
            if member is not None:
                yield member
            self._skip_content()
        if extended.seen:
            raise self._refusal("the archive ends after an extended header")
        self._check_end()

    def _block(self) -> bytes:
        block = self._input.take(BLOCK)
        if len(block) != BLOCK:
            raise self._refusal("the archive is cut short: its end mark is missing", remedy="get an undamaged copy")
        return block

    def _extend(self, extended: _Extended, header: Header) -> bool:
        """Take an extended header into account; False when it is a member's own header."""
        if header.kind not in {b"x", b"g", b"L", b"K"}:
            return False
        extended.size += header.size + BLOCK
        if extended.size > self._limits.header_size:
            raise exceeded(f"a header has more than {self._limits.header_size} bytes", where=self._where())
        data = self._input.take(header.size)
        self._padding(header.size)
        if len(data) != header.size:
            raise self._refusal("the archive is cut short in a header", remedy="get an undamaged copy")
        if header.kind == b"g":
            parse_pax(data, for_all=True)
            return True
        extended.seen = True
        if header.kind == b"x" and extended.pax is None:
            extended.pax = parse_pax(data, for_all=False)
        elif header.kind == b"L" and extended.name is None:
            extended.name = parse_long_name(data)
        elif header.kind == b"K" and extended.link is None:
            extended.link = parse_long_name(data)
        else:
            raise HeaderError("a member has the same extended header twice")
        return True

    def _member(self, header: Header, name: bytes, link: bytes, size: int) -> Member | None:
        """Return the member a header announces, None for a mention of the top directory itself."""
        kind = header.kind
        path = archive_path(name, self._source)
        as_directory = name.endswith((b"/", b"/."))
        self._content_size = 0
        if kind in _REFUSED_KINDS:
            raise self._refusal(f"it is {_REFUSED_KINDS[kind]}", remedy="leave it out of the archive")
        if kind == b"5" or (kind == b"\0" and as_directory):
            self._no_content(size)
            return Member(path, None, 0, no_chunks) if path else None
        if as_directory or not path:
            raise self._refusal("its name is a directory's, its type is not")
        if kind in _FILE_KINDS:
            return self._file(header, path, size)
        if kind in {b"1", b"2"}:
            self._no_content(size)
            return self._symbolic(path, link) if kind == b"2" else self._hard(path, link)
        raise self._refusal(f"its type is {kind!r}, which programs read in different ways")

    def _file(self, header: Header, path: bytes, size: int) -> Member:
        if header.mode & _PRIVILEGED:
            raise self._refusal(
                "it is a program that would run with its owner's rights (setuid or setgid)",
                remedy="clear those bits; a source tree cannot express them",
            )
        if size > self._limits.member_size:
            raise exceeded(f"it has {size} bytes, more than {self._limits.member_size}", where=self._where())
        mode = Mode.EXECUTABLE if header.mode & 0o100 else Mode.FILE
        self._originals[path] = (path, mode)
        self._content = self._input.stream(size)
        self._content_size = self._left = size
        return Member(path, mode, size, self._chunks)

    def _symbolic(self, path: bytes, target: bytes) -> Member:
        if not target or len(target) > self._limits.link_length:
            raise self._refusal(f"its target is empty or longer than {self._limits.link_length} bytes")
        self._originals[path] = (path, Mode.SYMLINK)
        return Member(path, Mode.SYMLINK, len(target), held(target))

    def _hard(self, path: bytes, target: bytes) -> Member:
        original = self._originals.get(archive_path(target, self._source))
        if original is None:
            raise self._refusal(
                f"it is a hard link to {printable_path(target)}, which is no earlier member",
                remedy="make the archive again with copies in place of hard links",
            )
        first, mode = original
        self._originals[path] = original
        return Member(path, mode, 0, no_chunks, copy_of=first)

    def _chunks(self) -> Iterator[bytes]:
        for chunk in self._content:
            self._left -= len(chunk)
            yield chunk
        if self._left:
            raise self._refusal("the archive is cut short inside it", remedy="get an undamaged copy")

    def _skip_content(self) -> None:
        if not self._content_size:
            return
        for _ in self._chunks():
            pass
        self._padding(self._content_size)

    def _padding(self, size: int) -> None:
        self._input.take(-size % BLOCK)

    def _no_content(self, size: int) -> None:
        if size:
            raise self._refusal("it is a link or directory, and yet has a size")

    def _check_end(self) -> None:
        """Allow zeros only after the end mark: anything else would be there for some programs and not for others."""
        for chunk in iter(partial(self._input.take, 1 << 16), b""):
            if chunk.strip(b"\0"):
                raise self._refusal("there is data after the end mark of the archive", last=False)

    def _where(self) -> str:
        return f"{self._source}: at or after {printable_path(self._last)}" if self._last else str(self._source)

    def _refusal(self, what: str, *, remedy: str = _AGAIN, last: bool = True) -> UnpackError:
        where = self._source.at(self._last) if self._last and last else str(self._source)
        return UnpackError(what, where=where, remedy=remedy)


def _settled(header: Header, extended: _Extended) -> tuple[bytes, bytes, int]:
    """Return the name, link target and size that hold; raises HeaderError where headers contradict each other."""
    pax = extended.pax or Pax()
    if (pax.path is not None and extended.name is not None) or (pax.link is not None and extended.link is not None):
        raise HeaderError("a pax header and a GNU header both name the member")
    size = header.size
    if pax.size is not None:
        if pax.size != header.size and header.size and pax.size < _OCTAL_LIMIT:
            raise HeaderError("a pax header and the member's own header state different sizes")
        size = pax.size
    return pax.path or extended.name or header.name, pax.link or extended.link or header.link, size
