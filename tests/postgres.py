"""A PostgreSQL server for tests: Debian's programs, an unprivileged user, a unix socket in a folder of its own."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

_PORT = 5432
_START_SECONDS = 60


def programs() -> Path | None:
    """Return the folder of the newest server's programs, None where none is installed."""
    found = [path.parent for path in Path("/usr/lib/postgresql").glob("*/bin/postgres")]
    on_path = shutil.which("postgres")
    found += [Path(on_path).resolve().parent] if on_path else []
    return max(
        found, key=lambda folder: [int(part) for part in folder.parent.name.split(".") if part.isdigit()], default=None
    )


@contextmanager
def postgres() -> Iterator[str]:
    """Run a server until the end of the block; yields the address of its database. Skips where there is none."""
    bin_folder = programs()
    if bin_folder is None:
        pytest.skip("PostgreSQL is not installed (Debian: postgresql)")
    user = _user()
    folder = Path(tempfile.mkdtemp(prefix="pg-", dir="/tmp"))
    try:
        if user is not None:
            os.chown(folder, user.pw_uid, user.pw_gid)
        yield from _served(bin_folder, folder, user)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _served(bin_folder: Path, folder: Path, user: pwd.struct_passwd | None) -> Iterator[str]:
    data, log = folder / "data", folder / "log"

    def run(program: str, *arguments: str) -> None:
        ids: dict[str, Any] = {} if user is None else {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
        command = [str(bin_folder / program), *arguments]
        subprocess.run(command, check=True, cwd=folder, stdout=subprocess.DEVNULL, timeout=_START_SECONDS, **ids)

    run("initdb", "-D", str(data), "-U", "tests", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync")
    options = f"-c listen_addresses= -c unix_socket_directories={folder} -c fsync=off -p {_PORT}"
    run("pg_ctl", "-D", str(data), "-l", str(log), "-o", options, "-w", "start")
    try:
        yield f"postgresql://tests@/postgres?host={quote(str(folder), safe='')}&port={_PORT}"
    finally:
        run("pg_ctl", "-D", str(data), "-m", "immediate", "-w", "stop")


def _user() -> pwd.struct_passwd | None:
    """Return whom the server runs as: root may not, so it becomes `postgres` or `nobody`."""
    if os.getuid() != 0:
        return None
    known = {entry.pw_name: entry for entry in pwd.getpwall()}
    return known.get("postgres") or known["nobody"]
