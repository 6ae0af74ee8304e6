"""What only shows in long or odd streams."""

from __future__ import annotations

import gzip
import io
import random
import tarfile
import zipfile
from pathlib import Path

from pellucid.unpack import identify


def test_large_members_are_read_in_pieces(tmp_path: Path) -> None:
    content = random.Random(1).randbytes(3_500_001)
    (tmp_path / "d").mkdir()
    (tmp_path / "d" / "big").write_bytes(content)
    (tmp_path / "d" / "zeros").write_bytes(bytes(5_000_000))
    expected = identify(tmp_path / "d")
    for kind in ("gz", "bz2", "xz"):
        with tarfile.open(tmp_path / "t", f"w:{kind}") as tar:  # type: ignore[call-overload]
            tar.add(tmp_path / "d", ".")
        assert identify(tmp_path / "t") == expected
    for method in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2):
        with zipfile.ZipFile(tmp_path / "z", "w", method) as archive:
            for name in ("big", "zeros"):
                archive.write(tmp_path / "d" / name, name)
        assert identify(tmp_path / "z") == expected


def test_a_stream_of_many_small_parts_is_read_in_time(tmp_path: Path) -> None:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        info = tarfile.TarInfo("a")
        info.size = 20_000
        tar.addfile(info, io.BytesIO(b"x" * 20_000))
    data = buffer.getvalue()
    parts = b"".join(gzip.compress(data[at : at + 5]) for at in range(0, len(data), 5)) + gzip.compress(b"") * 20_000
    (tmp_path / "t.tar.gz").write_bytes(parts)
    assert identify(tmp_path / "t.tar.gz").size == 20_000
