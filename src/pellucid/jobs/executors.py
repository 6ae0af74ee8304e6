"""Who runs jobs: each process that does renews a row, so that the others take over what it leaves behind."""

from __future__ import annotations

import hashlib
import os
import secrets
import socket
from contextlib import suppress
from pathlib import Path

from pellucid.jobs.ledger import Store


class Executors:
    """The processes that share a ledger, seen from one of them; `id` is this one's and never used again."""

    def __init__(self, store: Store, dead_after: float) -> None:
        self._store = store
        self._dead_after = dead_after
        self._place = _place()
        self.id = f"{os.getpid()}-{secrets.token_hex(8)}"

    def beat(self) -> None:
        """Say that this process lives."""
        sql = (
            "INSERT INTO pellucid_executor (id, place, pid, beat_at) VALUES (?, ?, ?, ?) "
            "ON CONFLICT (id) DO UPDATE SET beat_at = excluded.beat_at"
        )
        now = self._store.now()
        with self._store.write() as rows:
            rows.execute(sql, (self.id, self._place, os.getpid(), now))

    def leave(self) -> None:
        """Say that this process runs no more jobs."""
        with self._store.write() as rows:
            rows.execute("DELETE FROM pellucid_executor WHERE id = ?", (self.id,))

    def alive(self) -> set[str]:
        """Return who lives, this process always; whoever was silent for an hour is forgotten."""
        now = self._store.now()
        with self._store.read() as rows:
            found = rows.execute("SELECT id, place, pid, beat_at FROM pellucid_executor").fetchall()
        long_gone = [row[0] for row in found if now - row[3] > 3600 and row[0] != self.id]
        if long_gone:
            with self._store.write() as rows:
                for executor in long_gone:
                    rows.execute("DELETE FROM pellucid_executor WHERE id = ?", (executor,))
        return {self.id} | {row[0] for row in found if self._lives(row[1], row[2], now - row[3])}

    def _lives(self, place: str, pid: int, silent: float) -> bool:
        """Judge by the last beat; of a process on this machine the kernel knows at once that it is gone."""
        return silent < self._dead_after and not (place == self._place and _gone(pid))


def _gone(pid: int) -> bool:
    """Tell whether a process of this machine runs no more; one that only waits to be reaped does not run."""
    try:
        os.kill(pid, 0)
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] in {"Z", "X"}
    except ProcessLookupError:
        return True
    except (OSError, IndexError):
        return False


def _place() -> str:
    """Return what is equal only where process ids mean the same: one boot of one machine, one namespace."""
    known = socket.gethostname()
    with suppress(OSError):
        known += Path("/proc/sys/kernel/random/boot_id").read_text() + str(Path("/proc/self/ns/pid").readlink())
    return hashlib.sha256(known.encode()).hexdigest()[:32]
