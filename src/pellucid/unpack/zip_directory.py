"""The central directory of a zip and the local headers it points to (PKWARE APPNOTE 6.3)."""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator
from dataclasses import dataclass

LOCAL = b"PK\x03\x04"
END = b"PK\x05\x06"
_CENTRAL = b"PK\x01\x02"
_DESCRIPTOR = b"PK\x07\x08"
_END64 = b"PK\x06\x06"
_LOCATOR64 = b"PK\x06\x07"
_END_FORMAT = struct.Struct("<4s4H2LH")
_END64_FORMAT = struct.Struct("<4sQ2H2L4Q")
_LOCATOR64_FORMAT = struct.Struct("<4sLQL")
_CENTRAL_FORMAT = struct.Struct("<4s6H3L5H2L")
_LOCAL_FORMAT = struct.Struct("<4s5H3L2H")
_LONGEST_COMMENT = 0xFFFF
_FULL32 = 0xFFFFFFFF
_FULL16 = 0xFFFF
_ZIP64_EXTRA = 0x0001
_UNICODE_PATH_EXTRA = 0x7075
ENCRYPTED = 0x2041
STREAMED = 0x0008
UTF8 = 0x0800


class DirectoryError(ValueError):
    """A zip whose parts are damaged or contradict each other; the text says what is wrong, `name` the member."""

    def __init__(self, what: str, name: bytes | None = None) -> None:
        super().__init__(what)
        self.name = name


@dataclass(frozen=True, slots=True)
class Entry:
    """One member as the central directory states it; `packed` and `size` in bytes, `offset` of its local header."""

    name: bytes
    made_by: int
    flags: int
    method: int
    crc: int
    packed: int
    size: int
    attributes: int
    offset: int


@dataclass(frozen=True, slots=True)
class End:
    """Where the central directory lies and how many members it has."""

    count: int
    size: int
    offset: int


def read_at(fd: int, offset: int, size: int) -> bytes:
    """Return `size` bytes from `offset`; raises DirectoryError when the file ends before."""
    data = os.pread(fd, size, offset)
    while len(data) < size:
        more = os.pread(fd, size - len(data), offset + len(data))
        if not more:
            raise DirectoryError("the archive is cut short or damaged")
        data += more
    return data


def find_end(fd: int) -> End:
    """Find the end record; raises DirectoryError unless there is exactly one, behind the directory it describes."""
    file_size = os.fstat(fd).st_size
    tail_size = min(file_size, _END_FORMAT.size + _LONGEST_COMMENT)
    tail = read_at(fd, file_size - tail_size, tail_size)
    places = []
    at = tail.find(END)
    while at >= 0:
        fields = tail[at : at + _END_FORMAT.size]
        if len(fields) == _END_FORMAT.size and at + len(fields) + _END_FORMAT.unpack(fields)[7] == tail_size:
            places.append(at)
        at = tail.find(END, at + 1)
    if len(places) != 1:
        raise DirectoryError("it has no end record, or more than one (cut short, or data follows it)")
    _, disk, start_disk, here, count, size, offset, _ = _END_FORMAT.unpack_from(tail, places[0])
    position = file_size - tail_size + places[0]
    if disk or start_disk or here != count:
        raise DirectoryError("it is one part of a split archive")
    end = End(count, size, offset)
    if count == _FULL16 or _FULL32 in {size, offset}:
        end, position = _end64(fd, position, end)
    if end.offset + end.size != position:
        raise DirectoryError("data stands before the first member or around the directory of members")
    return end


def _end64(fd: int, position: int, end: End) -> tuple[End, int]:
    """Read the zip64 end record where there is one; it holds what does not fit into the plain one."""
    locator_at = position - _LOCATOR64_FORMAT.size
    if locator_at < 0:
        return end, position
    signature, disk, at, disks = _LOCATOR64_FORMAT.unpack(read_at(fd, locator_at, _LOCATOR64_FORMAT.size))
    if signature != _LOCATOR64:
        return end, position
    fields = _END64_FORMAT.unpack(read_at(fd, at, _END64_FORMAT.size))
    signature, record_size, _, _, this_disk, start_disk, here, count, size, offset = fields
    if signature != _END64 or at + 12 + record_size != locator_at:
        raise DirectoryError("its zip64 end record is damaged")
    if disk or disks != 1 or this_disk or start_disk or here != count:
        raise DirectoryError("it is one part of a split archive")
    plain = ((end.count, _FULL16, count), (end.size, _FULL32, size), (end.offset, _FULL32, offset))
    if any(stated not in {full, real} for stated, full, real in plain):
        raise DirectoryError("its two end records contradict each other")
    return End(count, size, offset), at


def entries(fd: int, end: End, *, path_length: int) -> Iterator[Entry]:
    """Yield the members that the central directory lists; raises DirectoryError."""
    at = end.offset
    stop = end.offset + end.size
    for _ in range(end.count):
        if at + _CENTRAL_FORMAT.size > stop:
            raise DirectoryError("its directory lists fewer members than it states")
        fields = _CENTRAL_FORMAT.unpack(read_at(fd, at, _CENTRAL_FORMAT.size))
        name_size, extra_size, comment_size, disk = fields[10:14]
        if fields[0] != _CENTRAL or disk not in {0, _FULL16} or name_size > path_length:
            raise DirectoryError("its directory is damaged, or a name is too long")
        rest = read_at(fd, at + _CENTRAL_FORMAT.size, name_size + extra_size)
        yield _entry(fields, rest[:name_size], rest[name_size:])
        at += _CENTRAL_FORMAT.size + name_size + extra_size + comment_size
    if at != stop:
        raise DirectoryError("its directory holds more than the members it states")


def _entry(fields: tuple[int, ...], name: bytes, extra: bytes) -> Entry:
    crc, packed, size = fields[7:10]
    attributes, offset = fields[15:17]
    extras = _extras(extra, name)
    size, packed, offset = _wide(extras.get(_ZIP64_EXTRA, b""), (size, packed, offset), name)
    return Entry(name, fields[1] >> 8, fields[3], fields[4], crc, packed, size, attributes, offset)


def _extras(extra: bytes, name: bytes) -> dict[int, bytes]:
    """Split an extra field; refuses a second name and a doubled zip64 record, which programs settle differently."""
    found: dict[int, bytes] = {}
    at = 0
    while at + 4 <= len(extra):
        kind, size = struct.unpack_from("<HH", extra, at)
        value = extra[at + 4 : at + 4 + size]
        if len(value) != size or (kind == _ZIP64_EXTRA and kind in found):
            raise DirectoryError("its extra fields are damaged", name)
        if kind == _UNICODE_PATH_EXTRA and value[5:] != name:
            raise DirectoryError("it has two different names", name)
        found[kind] = value
        at += 4 + size
    return found


def _wide(record: bytes, stated: tuple[int, int, int], name: bytes) -> tuple[int, int, int]:
    """Replace 32-bit values that are full by those of the zip64 record, which come in the same order."""
    values = list(stated)
    at = 0
    for index, value in enumerate(stated):
        if value == _FULL32 and record:
            if at + 8 > len(record):
                raise DirectoryError("its zip64 record is too short", name)
            values[index] = int.from_bytes(record[at : at + 8], "little")
            at += 8
    return values[0], values[1], values[2]


def content_start(fd: int, entry: Entry) -> int:
    """Check the local header against the directory's entry and return where the content starts."""
    fields = _LOCAL_FORMAT.unpack(read_at(fd, entry.offset, _LOCAL_FORMAT.size))
    signature, _, flags, method, _, _, crc, packed, size, name_size, extra_size = fields
    rest = read_at(fd, entry.offset + _LOCAL_FORMAT.size, name_size + extra_size)
    name = rest[:name_size]
    if signature != LOCAL or name != entry.name:
        raise DirectoryError("the directory and the member itself state different names", entry.name)
    watched = ENCRYPTED | STREAMED | (0 if name.isascii() else UTF8)
    if method != entry.method or (flags ^ entry.flags) & watched:
        raise DirectoryError("the directory and the member itself state different methods", entry.name)
    record = _extras(rest[name_size:], name).get(_ZIP64_EXTRA, b"")
    size, packed, _ = _wide(record, (size, packed, 0), name)
    unknown = {0, _FULL32} if flags & STREAMED else set()
    for here, there in ((crc, entry.crc), (packed, entry.packed), (size, entry.size)):
        if here != there and here not in unknown:
            raise DirectoryError("the directory and the member itself state different sizes", entry.name)
    return entry.offset + _LOCAL_FORMAT.size + len(rest)


def check_gap(fd: int, entry: Entry, start: int, stop: int) -> None:
    """Allow between two members, or a member and the directory, a data descriptor that is right, and nothing else."""
    if start == stop and not entry.flags & STREAMED:
        return
    if start > stop:
        raise DirectoryError("it overlaps another member", entry.name)
    gap = stop - start
    if entry.flags & STREAMED and gap in {12, 16, 20, 24}:
        data = read_at(fd, start, gap).removeprefix(_DESCRIPTOR if gap in {16, 24} else b"")
        form = {12: "<3L", 20: "<L2Q"}.get(len(data))
        if form and struct.unpack(form, data) == (entry.crc, entry.packed, entry.size):
            return
    raise DirectoryError("after it stand bytes that belong to no member", entry.name)
