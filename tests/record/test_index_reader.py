"""Reading many references at once: each gets its own share, however much is said about another."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from pellucid.record.index_reader import IndexReader
from pellucid.record.index_schema import CONCERN, SCHEMA, SUBJECT, VERSION

QUIET, LOUD = "gitTree:" + "a" * 64, "gitTree:" + "b" * 64


@pytest.fixture
def reader(tmp_path: Path) -> IndexReader:
    """Three reviews of one tree, and a thousand newer ones of another."""
    with sqlite3.connect(tmp_path / "index.db") as connection:
        connection.executescript(SCHEMA)
        connection.execute(f"PRAGMA user_version = {VERSION}")
        for number in range(1003):
            row = (number, f"{number:064x}", "t", "review", None, number, 1_000_000 + number)
            connection.execute("INSERT INTO statement VALUES (?, ?, ?, ?, ?, ?, ?)", row)
            for how in (SUBJECT, CONCERN):
                connection.execute(
                    "INSERT INTO reference VALUES (?, ?, ?)", (QUIET if number < 3 else LOUD, how, number)
                )
    return IndexReader(tmp_path / "index.db")


def test_what_is_said_about_one_thing_does_not_crowd_out_another(reader: IndexReader) -> None:
    found = reader.about_each([QUIET, LOUD], "review", 100)
    assert [item.row for item in found[QUIET]] == [2, 1, 0]
    assert [item.row for item in found[LOUD]] == list(range(1002, 902, -1))
    for ref in (QUIET, LOUD):
        assert found[ref] == list(reader.about(ref, "review", 100))
    assert reader.about_each([QUIET], "delta", 100) == {QUIET: []}
