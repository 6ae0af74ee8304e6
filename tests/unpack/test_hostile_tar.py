"""Tars made by hand to deceive or to exhaust: each is refused with the member's name and a remedy."""

from __future__ import annotations

import bz2
import contextlib
import gzip
import hashlib
import io
import lzma
import os
import random
import tarfile
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pellucid.statement.tree import Mode
from pellucid.unpack import Limits, UnpackError, identify

_END = bytes(1024)


def _header(
    name: bytes,
    kind: bytes = b"0",
    size: int = 0,
    *,
    mode: int = 0o644,
    link: bytes = b"",
    magic: bytes = b"ustar\x0000",
) -> bytes:
    block = bytearray(512)
    block[0 : len(name)] = name
    block[100:108] = b"%07o\0" % mode
    block[124:136] = b"%011o\0" % size
    block[148:156] = b" " * 8
    block[156:157] = kind
    block[157 : 157 + len(link)] = link
    block[257 : 257 + len(magic)] = magic
    block[148:156] = b"%06o\0 " % sum(block)
    return bytes(block)


def _gnu_prefix() -> bytes:
    block = bytearray(_header(b"foo", magic=b"ustar  \0"))
    block[345:350] = b"evil/"
    block[148:156] = b" " * 8
    block[148:156] = b"%06o\0 " % sum(block)
    return bytes(block)


def _entry(name: bytes, data: bytes = b"", kind: bytes = b"0", **options: object) -> bytes:
    return _header(name, kind, len(data), **options) + data + bytes(-len(data) % 512)  # type: ignore[arg-type]


def _pax(*records: tuple[bytes, bytes], kind: bytes = b"x") -> bytes:
    data = b""
    for key, value in records:
        size = len(key) + len(value) + 3
        while len(b"%d" % size) + len(key) + len(value) + 3 != size:
            size = len(b"%d" % size) + len(key) + len(value) + 3
        data += b"%d %s=%s\n" % (size, key, value)
    return _entry(b"pax", data, kind)


def _refused(at: Path, data: bytes, limits: Limits | None = None) -> UnpackError:
    at.mkdir(exist_ok=True)
    archive = at / "x.tar"
    archive.write_bytes(data)
    with pytest.raises(UnpackError) as caught:
        identify(archive, limits=limits)
    assert caught.value.exit_code == 2
    assert caught.value.remedy
    assert caught.value.where is not None
    assert caught.value.where.startswith(str(archive))
    return caught.value


_DECEPTIONS = {
    "absolute": (_entry(b"/etc/passwd", b"x"), "/etc/passwd", "absolute"),
    "drive": (_entry(b"C:/x", b"x"), "C:/x", "absolute"),
    "up": (_entry(b"a/../../x", b"x"), "a/../../x", "'..'"),
    "up inside": (_entry(b"a/../x", b"x"), "a/../x", "'..'"),
    "link absolute": (_entry(b"l", kind=b"2", link=b"/etc"), "l", "leads out"),
    "link up": (_entry(b"a/l", kind=b"2", link=b"../../x"), "a/l", "leads out"),
    "link up by backslash": (_entry(b"l", kind=b"2", link=b"..\\x"), "l", "leads out"),
    "link drive": (_entry(b"l", kind=b"2", link=b"c:\\x"), "l", "leads out"),
    "link through link": (
        _entry(b"d/here", kind=b"2", link=b".") + _entry(b"d/l", kind=b"2", link=b"here/../../x"),
        "d/l",
        "leads out",
    ),
    "hard link to link, moved up": (
        _entry(b"a/l", kind=b"2", link=b"../x") + _entry(b"l2", kind=b"1", link=b"a/l"),
        "l2",
        "leads out",
    ),
    "link empty": (_entry(b"l", kind=b"2"), "l", "empty"),
    "file below link": (_entry(b"l", kind=b"2", link=b"d") + _entry(b"l/x", b"x"), "l", "both a file and a directory"),
    "directory below file": (_entry(b"a", b"x") + _entry(b"a/b/", kind=b"5"), "a", "both a file and a directory"),
    "file over directory": (_entry(b"a/b", b"") + _entry(b"a", b"x"), "a", "both a file and a directory"),
    "hard link out": (_entry(b"h", kind=b"1", link=b"../../etc/passwd"), "../../etc/passwd", "'..'"),
    "hard link absolute": (_entry(b"h", kind=b"1", link=b"/etc/passwd"), "/etc/passwd", "absolute"),
    "hard link forward": (_entry(b"h", kind=b"1", link=b"later") + _entry(b"later", b"x"), "h", "no earlier member"),
    "hard link to itself": (_entry(b"h", kind=b"1", link=b"h"), "h", "no earlier member"),
    "hard link with a size": (
        _entry(b"a", b"x") + _header(b"h", b"1", 512, link=b"a") + bytes(512),
        "h",
        "yet has a size",
    ),
    "directory with a size": (_header(b"d/", b"5", 512) + _entry(b"hidden", b""), "d/", "yet has a size"),
    "character device": (_entry(b"null", kind=b"3"), "null", "a character device"),
    "block device": (_entry(b"sda", kind=b"4"), "sda", "a block device"),
    "fifo": (_entry(b"pipe", kind=b"6"), "pipe", "a FIFO"),
    "sparse": (_entry(b"s", b"x", kind=b"S"), "s", "a sparse file"),
    "unknown type": (_entry(b"v", kind=b"V"), "v", "type is b'V'"),
    "twice": (_entry(b"a", b"1") + _entry(b"b", b"") + _entry(b"a", b"2"), "a", "occurs twice"),
    "twice by dot": (_entry(b"a", b"1") + _entry(b"./a", b"2"), "a", "occurs twice"),
    "twice by slashes": (_entry(b"a/b", b"1") + _entry(b"a//./b", b"2"), "a/b", "occurs twice"),
    "twice by hard link": (_entry(b"a", b"1") + _entry(b"a", kind=b"1", link=b"a"), "a", "occurs twice"),
    "git": (_entry(b".git/config", b"x"), ".git/config", "'.git'"),
    "git in capitals": (_entry(b"sub/.GiT/config", b"x"), "sub/.GiT/config", "'.git'"),
    "git on HFS": (_entry(".g\u200cit/config".encode(), b"x"), "", "'.git'"),
    "git on NTFS": (_entry(b"GIT~1/config", b"x"), "GIT~1/config", "'.git'"),
    "git on NTFS with a stream": (_entry(b".git::$INDEX_ALLOCATION/x", b"x"), "", "'.git'"),
    "file named as directory": (_entry(b"a/", b"x"), "a/", "directory's"),
    "file named as top": (_entry(b".", b"x"), ".", "directory's"),
    "no name": (_entry(b"", b"x"), "", "empty"),
    "setuid": (_entry(b"su", b"x", mode=0o4755), "su", "setuid"),
    "setgid": (_entry(b"su", b"x", mode=0o2755), "su", "setuid"),
    "pax name up": (_pax((b"path", b"../x")) + _entry(b"a", b"x"), "../x", "'..'"),
    "pax link out": (_pax((b"linkpath", b"/x")) + _entry(b"a", kind=b"2", link=b"b"), "a", "leads out"),
    "pax NUL": (_pax((b"path", b"a\0b")) + _entry(b"a", b"x"), "", "NUL"),
    "pax name twice": (_pax((b"path", b"a"), (b"path", b"b")) + _entry(b"c", b"x"), "", "twice"),
    "pax twice": (_pax((b"path", b"a")) * 2 + _entry(b"c", b"x"), "", "twice"),
    "pax for all": (_pax((b"path", b"a"), kind=b"g") + _entry(b"c", b"x"), "", "for all"),
    "pax size contradicts": (_pax((b"size", b"1024")) + _entry(b"a", b"x" * 512), "", "different sizes"),
    "pax size is no number": (_pax((b"size", b"-1")) + _entry(b"a", b""), "", "no number"),
    "pax sparse": (_pax((b"GNU.sparse.major", b"1")) + _entry(b"a", b"x"), "", "sparse"),
    "pax damaged": (_entry(b"p", b"99 path=a\n", b"x") + _entry(b"a", b"x"), "", "damaged"),
    "pax and GNU name": (
        _pax((b"path", b"a")) + _entry(b"@", b"b\0", b"L") + _entry(b"c", b"x"),
        "",
        "both name the member",
    ),
    "GNU name twice": (_entry(b"@", b"a\0", b"L") * 2 + _entry(b"c", b"x"), "", "twice"),
    "GNU name with NUL": (_entry(b"@", b"a\0b\0", b"L") + _entry(b"c", b"x"), "", "NUL"),
    "GNU name up": (_entry(b"@", b"../x\0", b"L") + _entry(b"c", b"x"), "../x", "'..'"),
    "header of nothing": (_entry(b"a", b"x") + _pax((b"path", b"b")), "a", "after an extended header"),
    "prefix in a GNU header": (_gnu_prefix(), "", "a part of the name"),
    "checksum": (_entry(b"a", b"x") + _header(b"b").replace(b"b", b"c", 1), "a", "checksum"),
    "negative size": (_entry(b"a", b"") + _header(b"b")[:124] + b"\xff" * 12 + _header(b"b")[136:], "a", "checksum"),
}


@pytest.mark.parametrize("case", _DECEPTIONS)
def test_a_deceiving_tar_is_refused_by_name(tmp_path: Path, case: str) -> None:
    data, member, what = _DECEPTIONS[case]
    error = _refused(tmp_path, data + _END)
    assert what in error.what
    assert member in str(error.where)


@pytest.mark.parametrize("case", ["twice", "link up", "up", "fifo", "setuid", "pax name up", "hard link forward"])
def test_compression_hides_nothing(tmp_path: Path, case: str) -> None:
    data, member, what = _DECEPTIONS[case]
    for packed in (gzip.compress(data + _END), bz2.compress(data + _END), lzma.compress(data + _END)):
        error = _refused(tmp_path, packed)
        assert what in error.what
        assert member in str(error.where)


def test_what_is_odd_but_plain_is_read(tmp_path: Path) -> None:
    data = (
        _entry(b"./", kind=b"5")
        + _pax((b"comment", b"by hand"), kind=b"g")
        + _entry(b"./a/", kind=b"5")
        + _entry(b"a/", kind=b"5")
        + _pax((b"mtime", b"1.5"), (b"path", b"a/" + b"p" * 300))
        + _entry(b"short", b"1")
        + _entry(b"@", b"a/" + b"g" * 300 + b"\0", b"L")
        + _entry(b"short", b"2", magic=b"ustar  \0")
        + _entry(b"old", b"3", kind=b"\0", magic=b"")
        + _entry(b"old-dir/", kind=b"\0", magic=b"")
        + _entry(b"a/l", kind=b"2", link=b"../old")
        + _entry(b"loop", kind=b"2", link=b"loop")
        + _entry(b"a/into", kind=b"2", link=b"..")
        + _entry(b"x", b"x", mode=0o1755)
    )
    (tmp_path / "x.tar").write_bytes(data + _END)
    identity = identify(tmp_path / "x.tar")
    names = [b"a/" + b"g" * 300, b"a/into", b"a/l", b"a/" + b"p" * 300, b"loop", b"old", b"x"]
    assert [member.path for member in identity.members] == names
    assert identity.empty_directories == 1


@pytest.mark.parametrize("pack", [bytes, gzip.compress, bz2.compress, lzma.compress])
def test_a_tar_cut_short_anywhere_is_refused(tmp_path: Path, pack: object) -> None:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for name in ("a", "b" * 200):
            info = tarfile.TarInfo(name)
            info.size = 1000
            tar.addfile(info, io.BytesIO(bytes(range(250)) * 4))
    whole = pack(buffer.getvalue())  # type: ignore[operator]
    (tmp_path / "whole").write_bytes(whole)
    assert identify(tmp_path / "whole").files == 2
    cuts = range(512, 4097, 512) if pack is bytes else range(20, len(whole), max(1, len(whole) // 12))
    for cut in cuts:
        assert "short" in str(_refused(tmp_path, whole[:cut]))


def test_nothing_may_follow_the_end(tmp_path: Path) -> None:
    data = _entry(b"a", b"x") + _END
    assert "after the end mark" in _refused(tmp_path, data + _entry(b"hidden", b"y") + _END).what
    assert "other bytes follow" in _refused(tmp_path, gzip.compress(data) + b"hidden").what
    assert "other bytes follow" in _refused(tmp_path, gzip.compress(data) + bytes(9) + gzip.compress(b"x")).what
    for padded in (data + bytes(10_000), gzip.compress(data) + bytes(512), lzma.compress(data) + bytes(4)):
        (tmp_path / "ok").write_bytes(padded)
        assert identify(tmp_path / "ok").files == 1


def test_streams_one_after_the_other_are_one(tmp_path: Path) -> None:
    data = _entry(b"a", b"x" * 3000) + _END
    (tmp_path / "plain").write_bytes(data)
    for pack in (gzip.compress, bz2.compress, lzma.compress):
        (tmp_path / "parts").write_bytes(pack(data[:700]) + pack(b"") + pack(data[700:]))
        assert identify(tmp_path / "parts") == identify(tmp_path / "plain")


def test_damaged_compression_is_refused(tmp_path: Path) -> None:
    data = _entry(b"a", bytes(range(256)) * 40) + _END
    for pack in (gzip.compress, bz2.compress, lzma.compress):
        packed = bytearray(pack(data))
        packed[-6] ^= 1
        assert "damaged" in _refused(tmp_path, bytes(packed)).what


def test_bombs_are_refused(tmp_path: Path) -> None:
    small = Limits(ratio=50, ratio_floor=1 << 20)
    bomb = _entry(b"zeros", bytes(4 << 20)) + _END
    for pack in (gzip.compress, bz2.compress, lzma.compress):
        assert "bomb" in _refused(tmp_path, pack(bomb), small).what
    (tmp_path / "plain").write_bytes(bomb)
    assert identify(tmp_path / "plain", limits=small).files == 1
    huge = _header(b"huge", size=5 << 30)
    assert "more than 4294967296" in _refused(tmp_path, huge).what
    needs_memory = lzma.compress(bomb, filters=[{"id": lzma.FILTER_LZMA2, "dict_size": 64 << 20}])
    assert "memory" in _refused(tmp_path, needs_memory, Limits(memory=1 << 20)).what
    many = b"".join(_entry(b"%d" % number) for number in range(20)) + _END
    assert "more than 10 members" in _refused(tmp_path, many, Limits(members=10)).what


def test_floods_of_headers_are_refused(tmp_path: Path) -> None:
    floods = [
        _header(b"x", b"x", 8 << 30),
        _entry(b"@", b"n" * (2 << 20), b"L") + _entry(b"a", b"x"),
        _pax((b"comment", b"c" * 1000), kind=b"g") * 800 + _entry(b"a", b"x"),
        _header(b"@", b"K", 0o77777777777),
    ]
    for flood in floods:
        assert "header has more than" in _refused(tmp_path, flood + _END).what
    deep = _entry(b"@", b"d/" * 2000 + b"\0", b"L") + _entry(b"a", b"x")
    assert _refused(tmp_path, deep + _END).what
    long = _entry(b"@", b"d" * 5000 + b"\0", b"L") + _entry(b"a", b"x")
    assert "more than 4096 bytes" in _refused(tmp_path, long + _END).what


def test_a_maze_of_links_is_refused_in_time(tmp_path: Path) -> None:
    target = b"d/../" * 800
    maze = b"".join(
        _entry(b"@", target + b"l%d\0" % ((number + 1) % 300), b"K") + _entry(b"l%d" % number, kind=b"2")
        for number in range(300)
    )
    assert "too many and too long" in _refused(tmp_path, maze + _END).what


def test_a_name_cannot_write_to_the_terminal(tmp_path: Path) -> None:
    error = _refused(tmp_path, _entry(b"\x1b[2J\xff/../x", b"x") + _END)
    assert str(error).isprintable()
    assert "\\x1b[2J" in str(error)


def test_zstd_is_told_apart(tmp_path: Path) -> None:
    error = _refused(tmp_path, b"\x28\xb5\x2f\xfd" + bytes(600))
    assert "zstd -d" in str(error.remedy)
    assert "first byte" in _refused(tmp_path, b"not an archive at all" * 100).what
    assert "first byte" in _refused(tmp_path, b"").what


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=300), st.integers(0, 3000), st.binary(max_size=3))
def test_any_bytes_give_an_identity_or_a_refusal(noise: bytes, at: int, patch: bytes) -> None:
    whole = _pax((b"path", b"long")) + _entry(b"a", b"x" * 600) + _entry(b"l", kind=b"2", link=b"a") + _END
    for data in (noise, whole[:at] + patch + whole[at + len(patch) :], whole[:512] + noise + whole[512:]):
        with tempfile.NamedTemporaryFile() as file:
            file.write(data)
            file.flush()
            try:
                identity = identify(Path(file.name))
            except UnpackError:
                continue
            assert identity.files <= 3


_PARTS = (
    _entry(b"d/", kind=b"5"),
    _entry(b"a", b"x" * 600),
    _pax((b"path", b"long/name")) + _entry(b"b", b"y" * 20),
    _entry(b"@", b"gnu\0", b"L") + _entry(b"c", b"z" * 513, magic=b"ustar  \0"),
    _entry(b"l", kind=b"2", link=b"a"),
    _entry(b"h", kind=b"1", link=b"a"),
    _pax((b"size", b"5")) + _entry(b"f", b"12345"),
    _pax((b"comment", b"g"), kind=b"g") + _entry(b"e", b""),
)
_FIELDS = ((0, 100), (100, 8), (124, 12), (156, 1), (157, 3), (257, 8), (345, 10), (0, 512))


def _mutant(source: random.Random) -> bytes:
    """Return a tar with a few bytes of its headers changed, and their checksums made to fit."""
    data = bytearray(b"".join(source.choice(_PARTS) for _ in range(source.randrange(1, 5))))
    for _ in range(source.randrange(1, 4)):
        at = 512 * source.randrange(len(data) // 512)
        start, size = source.choice(_FIELDS)
        data[at + start + source.randrange(size)] = source.choice([*b"\0 /.0125xgLKS\x80\xff\\", source.randrange(256)])
        block = data[at : at + 512]
        block[148:156] = b" " * 8
        data[at + 148 : at + 156] = b"%06o\0 " % sum(block)
    return bytes(data) + _END


def _others_reading(archive: Path) -> dict[bytes, tuple[str, Mode]]:
    found: dict[bytes, tuple[str, Mode]] = {}
    with tarfile.open(archive) as tar:
        for info in tar:
            name, target = (
                b"/".join(part for part in os.fsencode(text).split(b"/") if part not in {b"", b"."})
                for text in (info.name, info.linkname)
            )
            if info.issym():
                found[name] = (_blob(os.fsencode(info.linkname)), Mode.SYMLINK)
            elif info.islnk():
                found[name] = found[target]
            elif not info.isdir():
                content = tar.extractfile(info)
                assert content is not None
                found[name] = (_blob(content.read()), Mode.EXECUTABLE if info.mode & 0o100 else Mode.FILE)
    return found


def _blob(data: bytes) -> str:
    return hashlib.sha256(b"blob %d\0" % len(data) + data).hexdigest()


def test_what_is_accepted_is_read_in_the_same_way_by_others(tmp_path: Path) -> None:
    source = random.Random(20)
    archive = tmp_path / "x.tar"
    accepted = 0
    for _ in range(600):
        archive.write_bytes(_mutant(source))
        try:
            identity = identify(archive)
        except UnpackError:
            continue
        with contextlib.suppress(tarfile.TarError):
            others = _others_reading(archive)
            assert {file.path: (file.blob_sha256, file.mode) for file in identity.members} == others
            accepted += 1
    assert accepted > 100
