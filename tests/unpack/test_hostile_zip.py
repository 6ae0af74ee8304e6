"""Zips made by hand to deceive or to exhaust: each is refused with the member's name and a remedy."""

from __future__ import annotations

import contextlib
import hashlib
import random
import stat
import struct
import tempfile
import zipfile
import zlib
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pellucid.statement.tree import Mode
from pellucid.unpack import Limits, UnpackError, identify

_LINK = (stat.S_IFLNK | 0o777) << 16


@dataclass(frozen=True)
class _Part:
    """A member as written by hand; `central` replaces header fields in the directory only."""

    name: bytes
    data: bytes = b"x"
    method: int = 0
    flags: int = 0
    attributes: int = 0o100644 << 16
    system: int = 3
    extra: bytes = b""
    central_extra: bytes = b""
    packed: bytes | None = None
    crc: int | None = None
    size: int | None = None
    behind: bytes = b""
    central_name: bytes | None = None
    central_size: int | None = None
    central_method: int | None = None
    central_offset: int | None = None

    def stored(self) -> bytes:
        if self.packed is not None:
            return self.packed
        if self.method != 8:
            return self.data
        packer = zlib.compressobj(wbits=-15)
        return packer.compress(self.data) + packer.flush()

    def numbers(self) -> tuple[int, int, int]:
        crc = zlib.crc32(self.data) if self.crc is None else self.crc
        return crc, len(self.stored()), len(self.data) if self.size is None else self.size

    def local(self) -> bytes:
        numbers = (0, 0, 0) if self.flags & 8 else self.numbers()
        head = struct.pack(
            "<4s5H3L2H", b"PK\3\4", 20, self.flags, self.method, 0, 0, *numbers, len(self.name), len(self.extra)
        )
        return head + self.name + self.extra + self.stored() + self.behind

    def central(self, offset: int) -> bytes:
        name = self.name if self.central_name is None else self.central_name
        crc, packed, size = self.numbers()
        size = size if self.central_size is None else self.central_size
        method = self.method if self.central_method is None else self.central_method
        offset = offset if self.central_offset is None else self.central_offset
        fields = (b"PK\1\2", self.system << 8 | 20, 20, self.flags, method, 0, 0, crc, packed, size)
        tail = (len(name), len(self.central_extra), 0, 0, 0, self.attributes, offset)
        return struct.pack("<4s6H3L5H2L", *fields, *tail) + name + self.central_extra


def _zip(*parts: _Part, before: bytes = b"", comment: bytes = b"", shift: int = 0, count: int | None = None) -> bytes:
    body, directory = before, b""
    for part in parts:
        directory += part.central(len(body) - shift)
        body += part.local()
    number = len(parts) if count is None else count
    end = struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, number, number, len(directory), len(body) - shift, len(comment))
    return body + directory + end + comment


def _descriptor(part: _Part, form: str = "<4s3L") -> bytes:
    values = part.numbers()
    return struct.pack(form, b"PK\7\10", *values) if "s" in form else struct.pack(form, *values)


def _refused(at: Path, data: bytes, limits: Limits | None = None) -> UnpackError:
    archive = at / "x.zip"
    archive.write_bytes(data)
    with pytest.raises(UnpackError) as caught:
        identify(archive, limits=limits)
    assert caught.value.remedy
    assert str(caught.value.where).startswith(str(archive))
    return caught.value


_A = _Part(b"a")
_STREAMED = _Part(b"s", b"x" * 50, method=8, flags=8)
_UNICODE_PATH = struct.pack("<HHBL", 0x7075, 5 + 4, 1, zlib.crc32(b"a")) + b"evil"
_DECEPTIONS: dict[str, tuple[bytes, str, str]] = {
    "absolute": (_zip(_Part(b"/etc/passwd")), "/etc/passwd", "absolute"),
    "drive": (_zip(_Part(b"c:/x")), "c:/x", "absolute"),
    "up": (_zip(_Part(b"a/../../x")), "a/../../x", "'..'"),
    "backslash": (_zip(_Part(b"..\\x")), "..", "backslash"),
    "NUL": (_zip(_Part(b"a\0.txt")), "a", "NUL"),
    "no name": (_zip(_Part(b"")), "", "empty"),
    "not UTF-8": (_zip(_Part(b"\xff", flags=0x800)), "\\xff", "UTF-8"),
    "link absolute": (_zip(_Part(b"l", b"/etc", attributes=_LINK)), "l", "leads out"),
    "link up": (_zip(_Part(b"d/l", b"../../x", attributes=_LINK)), "d/l", "leads out"),
    "link empty": (_zip(_Part(b"l", b"", attributes=_LINK)), "l", "empty"),
    "link with NUL": (_zip(_Part(b"l", b"a\0b", attributes=_LINK)), "l", "NUL"),
    "link too long": (_zip(_Part(b"l", b"d" * 5000, attributes=_LINK)), "l", "longer than 4096"),
    "link by DOS": (_zip(_Part(b"l", b"a", attributes=_LINK, system=0)), "l", "link not made on Unix"),
    "device": (_zip(_Part(b"d", attributes=(stat.S_IFCHR | 0o644) << 16)), "d", "device"),
    "fifo": (_zip(_Part(b"f", attributes=(stat.S_IFIFO | 0o644) << 16)), "f", "FIFO"),
    "setuid": (_zip(_Part(b"s", attributes=(stat.S_IFREG | 0o4755) << 16)), "s", "setuid"),
    "twice": (_zip(_A, _Part(b"a", b"y")), "a", "occurs twice"),
    "twice by dot": (_zip(_A, _Part(b"./a", b"y")), "a", "occurs twice"),
    "twice by slashes": (_zip(_Part(b"d/a"), _Part(b"d//a")), "d/a", "occurs twice"),
    "file and directory": (_zip(_A, _Part(b"a/b")), "a", "both a file and a directory"),
    "git": (_zip(_Part(b".GIT/hooks/x")), ".GIT/hooks/x", "'.git'"),
    "directory with content": (_zip(_Part(b"d/", b"x", attributes=0)), "d/", "yet has a size"),
    "directory that is a file": (_zip(_Part(b"d/", b"")), "d/", "disagree"),
    "file that is a directory": (_zip(_Part(b"d", b"", attributes=stat.S_IFDIR << 16)), "d", "disagree"),
    "file that DOS takes for a directory": (_zip(_Part(b"d", b"", attributes=0x10, system=0)), "d", "disagree"),
    "encrypted": (_zip(_Part(b"a", flags=1)), "a", "encrypted"),
    "encrypted strongly": (_zip(_Part(b"a", flags=0x41)), "a", "encrypted"),
    "encrypted by AES": (_zip(_Part(b"a", method=99)), "a", "encrypted"),
    "unknown method": (_zip(_Part(b"a", method=93)), "a", "method 93"),
    "two names": (_zip(replace(_A, central_name=b"b")), "b", "different names"),
    "two names by extra field": (_zip(replace(_A, central_extra=_UNICODE_PATH)), "a", "two different names"),
    "two names by local extra field": (_zip(replace(_A, extra=_UNICODE_PATH)), "a", "two different names"),
    "two sizes": (_zip(replace(_A, central_size=0)), "a", "different sizes"),
    "two methods": (_zip(replace(_A, central_method=8)), "a", "different methods"),
    "size too small": (_zip(_Part(b"a", b"xyz", size=1, crc=zlib.crc32(b"x"))), "a", "not what its header states"),
    "size too large": (_zip(_Part(b"a", b"xyz", size=4)), "a", "not what its header states"),
    "checksum": (_zip(_Part(b"a", crc=1)), "a", "not what its header states"),
    "deflate cut short": (_zip(_Part(b"a", b"x" * 99, method=8, packed=b"\x4b")), "a", "cut short"),
    "deflate damaged": (_zip(_Part(b"a", b"x" * 99, method=8, packed=b"\xff\xff\xff")), "a", "damaged"),
    "deflate with more": (
        _zip(replace(_STREAMED, flags=0, packed=_STREAMED.stored() + b"hidden")),
        "s",
        "other bytes follow",
    ),
    "same place": (_zip(_A, replace(_A, central_offset=0)), "a", "overlaps"),
    "one inside another": (
        _zip(_Part(b"out", _A.local()), replace(_A, central_offset=33)),
        "out",
        "overlaps",
    ),
    "hidden between": (_zip(replace(_A, behind=_Part(b"hidden").local()), _Part(b"b")), "a", "belong to no member"),
    "hidden before the directory": (_zip(replace(_A, behind=b"?")), "a", "belong to no member"),
    "wrong descriptor": (_zip(replace(_STREAMED, behind=b"PK\7\10" + bytes(12))), "s", "belong to no member"),
    "no descriptor": (_zip(_STREAMED), "s", "belong to no member"),
    "prepended": (_zip(_A, before=b"PK\3\4 no header"), "", "before the first member"),
    "prepended and shifted": (_zip(_A, before=b"PK\3\4 no header", shift=14), "", "before the first member"),
    "appended": (_zip(_A) + b"more", "", "end record"),
    "two ends": (_zip(_A, comment=_zip(_Part(b"other"))), "", "end record"),
    "too few listed": (_zip(_A, count=2), "", "fewer members"),
    "too many listed": (_zip(_A, _Part(b"b"), count=1), "", "more than the members"),
    "doubled zip64": (_zip(replace(_A, central_extra=struct.pack("<HHQ", 1, 8, 1) * 2)), "a", "damaged"),
    "extra field too long": (_zip(replace(_A, central_extra=struct.pack("<HH", 1, 99))), "a", "damaged"),
    "long name": (_zip(_Part(b"d" * 5000)), "", "too long"),
}


@pytest.mark.parametrize("case", _DECEPTIONS)
def test_a_deceiving_zip_is_refused_by_name(tmp_path: Path, case: str) -> None:
    data, member, what = _DECEPTIONS[case]
    error = _refused(tmp_path, data)
    assert what in error.what
    assert member in str(error.where)


def test_what_is_odd_but_plain_is_read(tmp_path: Path) -> None:
    streamed = [
        replace(_STREAMED, name=b"s%d" % number, behind=_descriptor(_STREAMED, form))
        for number, form in enumerate(("<4s3L", "<3L", "<4sL2Q", "<L2Q"))
    ]
    parts = (
        *streamed,
        _Part(b"d/", b"", attributes=0x10, system=0),
        _Part(b"e/", b"", attributes=(stat.S_IFDIR | 0o755) << 16 | 0x10),
        _Part(b"\x82", b"bytes are kept"),
        _Part(b"run", attributes=0o100755 << 16),
        _Part(b"run-by-dos", attributes=0o100755 << 16, system=0),
        _Part(b"bare", attributes=0o600 << 16),
        _Part(b"e/l", b"../run", attributes=_LINK),
        _Part(b"alone", extra=struct.pack("<HH", 0xCAFE, 0)),
    )
    (tmp_path / "x.zip").write_bytes(_zip(*parts, comment=b"said"))
    identity = identify(tmp_path / "x.zip")
    modes = {member.path: member.mode for member in identity.members}
    assert len(modes) == 10
    assert b"\x82" in modes
    assert {path for path, mode in modes.items() if mode is Mode.EXECUTABLE} == {b"run", b"run-by-dos"}
    assert modes[b"e/l"] is Mode.SYMLINK
    assert identity.empty_directories == 1


def test_the_large_form_is_read(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as archive, archive.open("big", "w", force_zip64=True) as file:
        file.write(b"x" * 1000)
    assert identify(tmp_path / "x.zip").size == 1000
    many = tmp_path / "many.zip"
    with zipfile.ZipFile(many, "w") as archive:
        for number in range(65_600):
            archive.writestr(zipfile.ZipInfo(f"{number:x}"), b"")
    assert identify(many).files == 65_600


def test_a_zip_cut_short_anywhere_is_refused(tmp_path: Path) -> None:
    whole = _zip(_A, _STREAMED, _Part(b"b", b"y" * 300))
    for cut in range(4, len(whole), 17):
        assert _refused(tmp_path, whole[:cut]).what


def test_bombs_are_refused(tmp_path: Path) -> None:
    bomb = _zip(_Part(b"zeros", bytes(4 << 20), method=8))
    assert "bomb" in _refused(tmp_path, bomb, Limits(ratio=50, ratio_floor=1 << 20)).what
    lying = _zip(_Part(b"zeros", bytes(4 << 20), method=8, size=10))
    assert "not what its header states" in _refused(tmp_path, lying).what
    kernel = _zip(*[replace(_STREAMED, flags=0, name=b"%d" % number, central_offset=0) for number in range(50)])
    assert "overlaps" in _refused(tmp_path, kernel).what
    many = _zip(*[_Part(b"%d" % number) for number in range(20)])
    assert "more than 10 members" in _refused(tmp_path, many, Limits(members=10)).what


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=300), st.integers(0, 600), st.binary(max_size=3))
def test_any_bytes_give_an_identity_or_a_refusal(noise: bytes, at: int, patch: bytes) -> None:
    whole = _zip(_A, replace(_STREAMED, behind=_descriptor(_STREAMED)), _Part(b"l", b"a", attributes=_LINK))
    for data in (b"PK\3\4" + noise, whole[:at] + patch + whole[at + len(patch) :], noise + whole):
        with tempfile.NamedTemporaryFile() as file:
            file.write(data)
            file.flush()
            try:
                identity = identify(Path(file.name))
            except UnpackError:
                continue
            assert identity.files <= 3


def test_what_is_accepted_is_read_in_the_same_way_by_others(tmp_path: Path) -> None:
    source = random.Random(21)
    whole = _zip(_A, replace(_STREAMED, behind=_descriptor(_STREAMED)), _Part(b"d/b", b"y" * 90, method=8), _Part(b"e"))
    archive = tmp_path / "x.zip"
    accepted = 0
    for _ in range(3000):
        data = bytearray(whole)
        for _ in range(source.randrange(1, 3)):
            data[source.randrange(len(data))] = source.choice([*b"\0\1/.\x08\xff", source.randrange(256)])
        archive.write_bytes(data)
        try:
            identity = identify(archive)
        except UnpackError:
            continue
        with contextlib.suppress(zipfile.BadZipFile, NotImplementedError, UnicodeDecodeError):
            others = _others_reading(archive)
            assert {file.path: file.blob_sha256 for file in identity.members} == others
            accepted += 1
    assert accepted > 100


def _others_reading(archive: Path) -> dict[bytes, str]:
    found = {}
    with zipfile.ZipFile(archive) as others:
        for info in others.infolist():
            name = info.orig_filename.encode("utf-8" if info.flag_bits & 0x800 else "cp437")
            if not info.is_dir():
                content = others.read(info)
                path = b"/".join(part for part in name.split(b"/") if part not in {b"", b"."})
                found[path] = hashlib.sha256(b"blob %d\0" % len(content) + content).hexdigest()
    return found
