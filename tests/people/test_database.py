"""The database of a home's pages: made, brought up to date, and refused where that cannot be."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

PREPARE = "from pathlib import Path; from pellucid.site import database; print(database.prepare(Path({!r})))"
OLDER = """
import os, sys
os.environ["PELLUCID_HOME"] = sys.argv[1]
os.environ["DJANGO_SETTINGS_MODULE"] = "pellucid.site.settings"
import django
django.setup()
from django.core.management import call_command
call_command("migrate", "sessions", verbosity=0)
"""


def run(code: str, *words: str) -> subprocess.CompletedProcess[str]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("PELLUCID_", "DJANGO_"))}
    return subprocess.run([sys.executable, "-c", code, *words], capture_output=True, text=True, check=False, env=clean)


def prepare(home: Path) -> subprocess.CompletedProcess[str]:
    return run(PREPARE.format(str(home)))


def tables(home: Path) -> set[str]:
    with closing(sqlite3.connect(home / "site.db")) as connection:
        return {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}


def test_a_database_is_made_once_and_is_the_owner_s_only(tmp_path: Path) -> None:
    first = prepare(tmp_path)
    assert first.stdout == "True\n", first.stderr
    assert {"people_portal_account", "django_session", "mfa_authenticator"} <= tables(tmp_path)
    assert (tmp_path / "site.db").stat().st_mode & 0o077 == 0
    assert prepare(tmp_path).stdout == "False\n"


@pytest.mark.full
def test_the_database_of_an_older_home_is_brought_up_to_date(tmp_path: Path) -> None:
    older = run(OLDER, str(tmp_path))
    assert older.returncode == 0, older.stderr
    assert "people_portal_account" not in tables(tmp_path)
    assert prepare(tmp_path).stdout == "True\n"
    assert "people_portal_account" in tables(tmp_path)


@pytest.mark.full
def test_a_newer_program_s_database_is_left_alone(tmp_path: Path) -> None:
    prepare(tmp_path)
    with closing(sqlite3.connect(tmp_path / "site.db")) as connection:
        connection.execute(
            "INSERT INTO django_migrations (app, name, applied) VALUES ('people_portal', '0099_later', '2030-01-01')"
        )
        connection.execute("PRAGMA user_version = 7")
        connection.commit()
    refused = prepare(tmp_path)
    assert refused.returncode == 1
    assert "people_portal.0099_later, which this program does not know" in refused.stderr


def test_what_is_no_database_is_refused(tmp_path: Path) -> None:
    (tmp_path / "site.db").write_bytes(b"no database at all, whatever its name says" * 100)
    refused = prepare(tmp_path)
    assert refused.returncode == 1
    assert "the database of the pages cannot be used" in refused.stderr
