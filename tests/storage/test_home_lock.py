"""Two writers never share a home."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from pellucid.errors import UnavailableError
from pellucid.storage.home_lock import HomeLock


def test_a_second_writer_is_told_who_has_it(tmp_path: Path) -> None:
    with HomeLock(tmp_path / "lock"):
        with pytest.raises(UnavailableError) as told:
            HomeLock(tmp_path / "lock").acquire()
        assert f"process {os.getpid()}" in told.value.what
        assert told.value.remedy is not None
    with HomeLock(tmp_path / "lock"):
        pass


def test_a_killed_writer_leaves_it_free(tmp_path: Path) -> None:
    script = (
        "import sys, time; from pathlib import Path; from pellucid.storage.home_lock import HomeLock\n"
        "lock = HomeLock(Path(sys.argv[1])); lock.acquire(); print('held', flush=True); time.sleep(60)"
    )
    path = tmp_path / "lock"
    with subprocess.Popen([sys.executable, "-c", script, str(path)], stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        with pytest.raises(UnavailableError) as told:
            HomeLock(path).acquire()
        assert f"process {holder.pid}" in told.value.what
        holder.kill()
        holder.wait()
        with HomeLock(path):
            pass
