"""The 512-byte header of a tar member and the extended headers before it (POSIX.1-2017 pax, ustar, GNU)."""

from __future__ import annotations

from dataclasses import dataclass

BLOCK = 512
_OCTAL = b"01234567"
_PAX_NUMBER = 20


class HeaderError(ValueError):
    """A header that is damaged, or that programs read in different ways; the text says what is wrong."""


@dataclass(frozen=True, slots=True)
class Header:
    """What a header block says, names as they stand there."""

    name: bytes
    mode: int
    size: int
    kind: bytes
    link: bytes


def has_checksum(block: bytes) -> bool:
    """Tell whether a block of 512 bytes is a tar header, by its checksum over bytes without or with a sign."""
    counted = block[:148] + b" " * 8 + block[156:]
    try:
        stated = _number(block[148:156], "checksum")
    except HeaderError:
        return False
    unsigned = sum(counted)
    return stated == unsigned or stated == unsigned - 256 * sum(byte > 127 for byte in counted)


def parse_header(block: bytes) -> Header:
    """Read a header block of 512 bytes; raises HeaderError."""
    if not has_checksum(block):
        raise HeaderError("a header's checksum is wrong (damaged or no tar)")
    name = _text(block[:100])
    if prefix := _text(block[345:500]):
        # Other formats keep times there, which some programs take for a part of the name all the same.
        if block[257:263] != b"ustar\0":
            raise HeaderError("a header of the GNU or V7 format has data where others have a part of the name")
        name = prefix + b"/" + name
    return Header(
        name=name,
        mode=_number(block[100:108], "mode"),
        size=_number(block[124:136], "size"),
        kind=block[156:157],
        link=_text(block[157:257]),
    )


def _text(field: bytes) -> bytes:
    return field.partition(b"\0")[0]


def _number(field: bytes, what: str) -> int:
    """Read octal digits, or GNU's base-256 for what does not fit; never negative."""
    if field[0] == 0x80:
        return int.from_bytes(field[1:], "big")
    digits = field.partition(b"\0")[0].strip(b" ")
    if digits.strip(_OCTAL):
        raise HeaderError(f"the {what} in a header is no number")
    return int(digits, 8) if digits else 0


def parse_long_name(data: bytes) -> bytes:
    """Read the content of a GNU long name or long link header; raises HeaderError."""
    name = data[:-1] if data.endswith(b"\0") else data
    if not name or b"\0" in name:
        raise HeaderError("a long name is empty or holds a NUL byte")
    return name


@dataclass(frozen=True, slots=True)
class Pax:
    """The records of a pax header that matter here."""

    path: bytes | None = None
    link: bytes | None = None
    size: int | None = None


def parse_pax(data: bytes, *, for_all: bool) -> Pax:
    """Read the records of a pax header, `for_all` members (type g) or the next one (type x); raises HeaderError.

    Times, owners and the like are not part of a tree and are passed over. A record for all members must not name one.
    """
    values: dict[bytes, bytes] = {}
    for key, value in _records(data):
        if key.startswith(b"GNU.sparse."):
            raise HeaderError("it is stored as a sparse file")
        if key not in {b"path", b"linkpath", b"size"}:
            continue
        if for_all or key in values:
            raise HeaderError("a pax header names a path or size twice, or for all members")
        if not value or b"\0" in value:
            raise HeaderError("a pax path or size is empty or holds a NUL byte")
        values[key] = value
    size = values.get(b"size")
    if size is not None and (not size.isdigit() or len(size) > _PAX_NUMBER):
        raise HeaderError("a pax size is no number")
    return Pax(values.get(b"path"), values.get(b"linkpath"), None if size is None else int(size))


def _records(data: bytes) -> list[tuple[bytes, bytes]]:
    records = []
    at = 0
    data = data.rstrip(b"\0")
    while at < len(data):
        space = data.find(b" ", at, at + _PAX_NUMBER)
        digits = data[at:space] if space > 0 else b""
        if not digits.isdigit():
            raise HeaderError("a pax header is damaged")
        end = at + int(digits)
        record = data[space + 1 : end]
        key, equals, value = record.partition(b"=")
        if end > len(data) or record[-1:] != b"\n" or not equals or not key:
            raise HeaderError("a pax header is damaged")
        records.append((key, value[:-1]))
        at = end
    return records
