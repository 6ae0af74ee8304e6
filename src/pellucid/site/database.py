"""The database of a home's pages, `site.db`: made, and brought up to date, before anything reads it.

`user_version` of the file keeps which migrations it has been through, so that looking whether there is anything to do
costs a few file names and no Django.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from pellucid.errors import UnavailableError
from pellucid.storage.failures import fatal_io

DATABASE = "site.db"
_LOCK = "site.lock"
_SETTINGS = "pellucid.site.settings"


def prepare(home: Path) -> bool:
    """Set Django up for a home and bring its database up to date; return whether there was anything to do.

    Safe beside a running node and another command. UnavailableError for a file that is no database, or one that a
    newer program made.
    """
    os.environ["PELLUCID_HOME"] = str(home)
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", _SETTINGS)
    import django  # noqa: PLC0415 - it reads its settings from the environment

    django.setup()
    with _alone(home):
        if _version(home) == (wanted := _wanted()):
            return False
        _migrate(home)
        _mark(home, wanted)
    return True


def _wanted() -> int:
    """Return what `user_version` says once every migration of every app has run: 31 bits of a digest of their names."""
    from django.apps import apps  # noqa: PLC0415 - only after the settings stand

    folders = ((app.label, Path(app.path) / "migrations") for app in apps.get_app_configs())
    names = sorted(f"{label}/{file.stem}" for label, folder in folders for file in folder.glob("[0-9]*.py"))
    return int.from_bytes(hashlib.sha256("\n".join(names).encode()).digest()[:4]) >> 1 or 1


def _version(home: Path) -> int:
    path = home / DATABASE
    if not path.is_file():
        return 0
    try:
        with closing(sqlite3.connect(path)) as connection:
            return int(connection.execute("PRAGMA user_version").fetchone()[0])
    except sqlite3.Error as error:
        raise _unusable(path, str(error)) from error


def _migrate(home: Path) -> None:
    from django.core.management import call_command  # noqa: PLC0415 - only where there is something to do
    from django.db import DatabaseError, connection  # noqa: PLC0415
    from django.db.migrations.executor import MigrationExecutor  # noqa: PLC0415

    path = home / DATABASE
    with fatal_io("cannot make the database", str(path)):
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
    try:
        loader = MigrationExecutor(connection).loader
        unknown = sorted(set(loader.applied_migrations) - set(loader.disk_migrations))
        if unknown:
            raise _unusable(path, f"it has been through {'.'.join(unknown[0])}, which this program does not know")
        call_command("migrate", verbosity=0, interactive=False)
    except DatabaseError as error:
        raise _unusable(path, str(error)) from error
    finally:
        connection.close()


def _mark(home: Path, version: int) -> None:
    with closing(sqlite3.connect(home / DATABASE)) as connection:
        connection.execute(f"PRAGMA user_version = {version:d}")


@contextmanager
def _alone(home: Path) -> Iterator[None]:
    """Keep other processes that would migrate the same database waiting."""
    path = home / _LOCK
    with fatal_io("cannot open the lock", str(path)):
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _unusable(path: Path, why: str) -> UnavailableError:
    return UnavailableError(
        f"the database of the pages cannot be used: {why}",
        where=str(path),
        remedy="restore it from its copy, or run the program that made it",
    )
