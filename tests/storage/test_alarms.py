"""Evidence of contradictions is kept, once, and cannot fill the disk."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from pellucid.storage.alarms import Alarm, AlarmFolder

ALARM = Alarm("log.example/1", "two trees of 5 entries", proven=True, held="one\n", offered="two\n")


def test_keeps_each_contradiction_once(tmp_path: Path) -> None:
    alarms = AlarmFolder(tmp_path / "alarms")
    assert alarms.all() == []
    alarms(ALARM)
    alarms(ALARM)
    other = replace(ALARM, offered="three\n")
    alarms(other)
    assert sorted(AlarmFolder(tmp_path / "alarms").all(), key=lambda alarm: alarm.offered) == [other, ALARM]


def test_keeps_one_unproven_claim_per_checkpoint(tmp_path: Path) -> None:
    alarms = AlarmFolder(tmp_path / "alarms")
    for number in range(5):
        alarms(replace(ALARM, proven=False, offered=f"{number}\n"))
    assert [alarm.offered for alarm in alarms.all()] == ["0\n"]
