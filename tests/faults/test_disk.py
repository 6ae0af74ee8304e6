"""A disk that is full or refuses to be written: the node says so and ends, and loses nothing that it acknowledged."""

from __future__ import annotations

import base64
import os
import resource
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from http.client import HTTPException
from pathlib import Path

import pytest
from tests.faults.conftest import copied
from tests.interop.processes import NodeProcess, Reply, until

from pellucid.statement.dsse import Envelope

pytestmark = pytest.mark.full

FILL = 30_000


def mount(folder: Path, options: str) -> None:
    command = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=20)
    if done.returncode != 0:
        pytest.skip(f"no small disk can be mounted here: {done.stderr.strip()}")


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 3 MiB."""
    if os.geteuid() != 0:
        pytest.skip("only an administrator may mount a small disk")
    folder = tmp_path / "disk"
    folder.mkdir()
    mount(folder, "size=3m")
    yield folder
    subprocess.run(["umount", str(folder)], check=True, timeout=20)


@pytest.fixture
def on_small_disk(alone: NodeProcess, small_disk: Path, tmp_path: Path) -> Iterator[NodeProcess]:
    """A center whose home lies on the small disk; what it says goes elsewhere."""
    node = copied(alone, small_disk)
    said = tmp_path / "said"
    said.touch()
    node.said.symlink_to(said)
    yield node
    node.stop()


def fill(node: NodeProcess, first: int, most: int = 400) -> tuple[dict[int, Envelope], Reply | None]:
    """Submit statements until one is not acknowledged; return those that were, and the last answer if there was one."""
    acknowledged: dict[int, Envelope] = {}
    for number in range(first, first + most):
        envelope = node.statement(number, fill=FILL)
        try:
            reply = node.submit(envelope)
        except (OSError, HTTPException):
            return acknowledged, None
        if reply.status != 201:
            return acknowledged, reply
        assert reply.receipt.index is not None
        acknowledged[reply.receipt.index] = envelope
    raise AssertionError("the disk does not become full")


def check(node: NodeProcess, acknowledged: dict[int, Envelope]) -> None:
    """Everything acknowledged is published at its index, to the byte, and the log fits."""
    until(lambda: (node.published() or 0) > max(acknowledged), 30)
    for index, envelope in acknowledged.items():
        data = node.get(f"/api/logs/{node.log_id}/entries/{index}").json["data"]
        assert base64.b64decode(data) == envelope.to_bytes()
        assert node.submit(envelope).receipt.index == index
    checked = node.command("fsck")
    assert checked.code == 0, checked.out


def test_a_full_disk_ends_the_node_with_the_reason_and_loses_nothing(on_small_disk: NodeProcess) -> None:
    node = on_small_disk
    node.start()
    acknowledged, refused = fill(node, 0)
    assert len(acknowledged) > 3
    assert refused is None or refused.status >= 500
    assert node.process is not None
    assert node.process.wait(40) == 3
    said = node.said.read_text()
    assert "the disk is full" in said
    assert "free some space" in said
    assert "Traceback" not in said
    node.process = None

    still_full = node.command("serve")  # it must not make things worse
    assert still_full.code in {1, 3}
    assert "full" in still_full.err
    assert "Traceback" not in still_full.err

    mount(node.home.parent, "remount,size=64m")
    node.start()
    check(node, acknowledged)
    assert node.submit(node.statement(10_000, fill=FILL)).status == 201
    until(lambda: node.published() == len(acknowledged) + 1 or (node.published() or 0) > len(acknowledged))
    assert node.health()["ok"]


def test_a_file_that_may_not_grow_ends_the_node_and_loses_nothing(alone: NodeProcess) -> None:
    """The same without an administrator: the system lets no file grow above a bound that the log soon reaches."""
    alone.start()
    alone.stop()
    limit = 600_000 + (alone.home / "site.db").stat().st_size
    alone.start(preexec=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit)))
    acknowledged, refused = fill(alone, 0)
    assert len(acknowledged) > 3
    assert refused is None or refused.status >= 500
    assert alone.process is not None
    assert alone.process.wait(40) == 3
    said = alone.said.read_text()
    assert "the node stops" in said
    assert "Traceback" not in said
    alone = replace(alone, process=None)
    alone.start()
    try:
        check(alone, acknowledged)
    finally:
        alone.stop()
