"""Go's own sumdb packages and Tessera's fsck read the log that a node serves, and its mirrors at the others."""

from __future__ import annotations

import base64
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.interop_go.build import Refused

from pellucid.statement.keys import Role

pytestmark = pytest.mark.full  # the judge takes half a minute to build

Judge = Callable[..., Any]
Serve = Callable[[Path], str]
INDICES = [0, 1, 255, 256, 300, 511, 512, 599]


@pytest.fixture
def copy(served: Any, tmp_path: Path) -> Path:
    """A copy of the vendor's log, as it lies."""
    return shutil.copytree(served.vendor.home / "log", tmp_path / "log")


def flip(path: Path, at: int) -> None:
    data = bytearray(path.read_bytes())
    data[at] ^= 1
    path.write_bytes(data)


def kept(served: Any) -> list[int]:
    sizes: list[int] = served.vendor.get(f"/api/logs/{served.vendor.log_id}/checkpoints").json["sizes"]
    return [size for size in sizes if size]


def test_go_proves_entries_and_older_checkpoints_from_our_tiles(judge: Judge, served: Any) -> None:
    vkey = served.vendor.key(Role.LOG).vkey
    answer = judge("read", url=served.vendor.url, vkey=vkey, indices=INDICES, kept=kept(served))
    assert answer["size"] == len(served.entries)
    assert [base64.b64decode(entry) for entry in answer["entries"]] == [served.entries[index] for index in INDICES]
    assert answer["tiles"] == 4, "three of hashes, one above them"


def test_go_proves_the_same_from_a_mirror(judge: Judge, served: Any) -> None:
    vkey = served.vendor.key(Role.LOG).vkey
    for center in served.centers:
        mirror = f"{center.url}/mirror/{served.vendor.log_id}"
        answer = judge("read", url=mirror, vkey=vkey, indices=INDICES, kept=kept(served))
        assert base64.b64decode(answer["entries"][-1]) == served.entries[599]


@pytest.mark.parametrize(
    ("file", "says"),
    [
        ("tile/0/001", "downloaded inconsistent tile"),
        ("tile/1/000.p/2", "downloaded inconsistent tile"),
        ("tile/entries/000", "invalid transparency proof"),
        ("checkpoint", "invalid signature"),
    ],
)
def test_go_refuses_a_changed_file(
    judge: Judge, served: Any, copy: Path, serve_files: Serve, file: str, says: str
) -> None:
    vkey = served.vendor.key(Role.LOG).vkey
    question = {"url": serve_files(copy), "vkey": vkey, "indices": INDICES, "kept": []}
    assert judge("read", **question)["size"] == len(served.entries)
    flip(copy / file, 25 if file == "checkpoint" else 40)
    with pytest.raises(Refused, match=says):
        judge("read", **question)


def test_go_refuses_a_kept_checkpoint_that_was_changed(
    judge: Judge, served: Any, copy: Path, serve_files: Serve
) -> None:
    vkey = served.vendor.key(Role.LOG).vkey
    older = kept(served)[0]
    flip(copy / f"checkpoints/{older:03d}", 25)
    with pytest.raises(Refused, match=f"kept checkpoint {older}: "):
        judge("read", url=serve_files(copy), vkey=vkey, indices=[], kept=[older])


def test_tessera_fsck_finds_the_served_log_and_its_mirrors_whole(judge: Judge, served: Any) -> None:
    vkey = served.vendor.key(Role.LOG).vkey
    assert judge("fsck", url=f"{served.vendor.url}/", vkey=vkey)
    for center in served.centers:
        assert judge("fsck", url=f"{center.url}/mirror/{served.vendor.log_id}/", vkey=vkey)


@pytest.mark.parametrize(
    ("file", "says"),
    [
        ("tile/entries/001", "failed|claims"),
        ("tile/entries/002.p/88", "failed|claims"),
        ("tile/0/000", "failed|differ"),
        ("tile/0/002.p/88", "failed|differ"),
        ("tile/1/000.p/2", "failed|differ"),
        ("checkpoint", "checkpoint"),
    ],
)
def test_tessera_fsck_finds_one_flipped_byte(
    judge: Judge, served: Any, copy: Path, serve_files: Serve, file: str, says: str
) -> None:
    url, vkey = serve_files(copy), served.vendor.key(Role.LOG).vkey
    assert judge("fsck", url=f"{url}/", vkey=vkey)
    flip(copy / file, 25 if file == "checkpoint" else 40)
    with pytest.raises(Refused, match=says):
        judge("fsck", url=f"{url}/", vkey=vkey)


def test_tessera_fsck_refuses_the_log_under_another_key(judge: Judge, served: Any) -> None:
    with pytest.raises(Refused):
        judge("fsck", url=f"{served.vendor.url}/", vkey=served.asia.key(Role.LOG).vkey)
