"""A machine whose clock went back: what it witnesses is never dated before what it witnessed already."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from tests.interop.processes import NodeProcess, Town, until

from pellucid.statement.keys import Role
from pellucid.tlog.checkpoint import open_checkpoint
from pellucid.tlog.cosignature import cosignatures

pytestmark = pytest.mark.full

DAY = 86_400
SHIFT = """
import os, time
_now, _by = time.time, float(os.environ.get("TEST_CLOCK_SHIFT", "0"))
time.time = lambda: _now() + _by
"""


@pytest.fixture
def shifted_clock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """Processes started from now on read a clock that is TEST_CLOCK_SHIFT seconds ahead."""
    folder = tmp_path / "clock"
    folder.mkdir()
    (folder / "sitecustomize.py").write_text(SHIFT)
    import os

    monkeypatch.setenv("PYTHONPATH", f"{folder}:{os.environ.get('PYTHONPATH', '')}".rstrip(":"))
    return monkeypatch


def cosigned_at(town: Town, center: NodeProcess, size: int) -> int:
    """Return when a center's witness says it cosigned the vendor's log at a size."""
    path = f"/witness/{town.vendor.log_id}/checkpoint"
    until(lambda: open_checkpoint(center.get(path).body, town.vendor.key(Role.LOG)).checkpoint.size >= size)
    signed = open_checkpoint(center.get(path).body, town.vendor.key(Role.LOG))
    assert signed.checkpoint.size == size
    [found] = cosignatures(signed.note, [center.key(Role.WITNESS)])
    return found.timestamp


def test_cosignatures_never_go_back_in_time(town: Town, shifted_clock: pytest.MonkeyPatch) -> None:
    vendor, asia = town.vendor, town.asia
    town.europe.stop()
    asia.stop()
    times = []
    for number, shift in enumerate((0, DAY, -DAY, 0)):
        shifted_clock.setenv("TEST_CLOCK_SHIFT", str(shift))
        asia.start()
        assert vendor.submit(vendor.statement(number)).status == 201
        until(lambda number=number: vendor.published() == number + 1)  # type: ignore[misc]
        times.append(cosigned_at(town, asia, number + 1))
        asia.stop()
    real = time.time()
    assert abs(times[0] - real) < 120
    assert abs(times[1] - real - DAY) < 120, "the clock of the node was moved, not only the test's"
    assert times[2:] == [times[1], times[1]], "it says the latest time that it has said, until its clock is there again"
    for node in (vendor, asia):
        assert node.command("fsck").code == 0
