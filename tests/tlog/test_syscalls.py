"""One system call of a real log fails, as on a dying or full disk: nothing acknowledged is lost, nothing is hidden."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from tests.tlog.homes import LogHome, grow

WRITER = """
import sys
from pathlib import Path
from tests.tlog.homes import LogHome
home = LogHome(Path(sys.argv[1]))
publisher = home.open()
print("ready", flush=True)
for number in range(0, 300, 100):
    places = publisher.log.add_batch([b"entry %d" % (number + offset) for offset in range(100)])
    print("\\n".join(f"{place.index} {number + offset}" for offset, place in enumerate(places)), flush=True)
    publisher.log.integrate()
    publisher.publish()
home.close()
print("done", flush=True)
"""

# Each is a step whose failure the log must notice; SQLite's own clean-up may fail without harm.
NOTICED = [("syncfs", 1), ("syncfs", 3), ("rename", 2), ("fsync", 1), ("fsync", 4)]
EVERY = [
    (name, when) for name in ("fdatasync", "pwrite64", "unlink", "mkdir", "openat", "write") for when in range(1, 80, 4)
]


def trace() -> str:
    found = shutil.which("strace")
    if found is None or subprocess.run([found, "true"], capture_output=True, check=False).returncode:
        pytest.skip("strace is not here or may not trace")
    return found


def write_while_failing(home: LogHome, call: str, when: int, error: str = "EIO") -> tuple[bytes, bool]:
    """Run the writer with one failing call; return what it said on stdout, and whether it failed."""
    inject = f"inject={call}:error={error}:when={when}"
    command = [trace(), "-f", "-o", "/dev/null", "-e", f"trace={call}", "-e", inject, sys.executable, "-c", WRITER]
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    done = subprocess.run([*command, str(home.root)], capture_output=True, check=False, env=environment, timeout=60)
    if done.returncode and b"ready" in done.stdout:
        assert b"Error" in done.stderr.splitlines()[-1], done.stderr
    return done.stdout, done.returncode != 0


def nothing_is_lost(home: LogHome, said: bytes) -> None:
    publisher = home.open()
    grow(publisher)
    reader = home.reader()
    entries = list(reader.entries(0, reader.checkpoint().checkpoint.size))
    for line in said.splitlines():
        if b" " in line:
            index, number = map(int, line.split())
            assert entries[index] == b"entry %d" % number
    grow(publisher, b"and it goes on")


@pytest.mark.parametrize(("call", "when"), NOTICED)
def test_a_failed_call_ends_the_log_and_loses_nothing(home: LogHome, call: str, when: int) -> None:
    home.open()
    home.close()
    said, failed = write_while_failing(home, call, when)
    assert failed
    assert b"done" not in said
    nothing_is_lost(home, said)


def test_a_full_disk_is_told_in_words(home: LogHome) -> None:
    home.open()
    home.close()
    inject = ["-e", "trace=pwrite64", "-e", "inject=pwrite64:error=ENOSPC:when=14+"]
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    command = [trace(), "-f", "-o", "/dev/null", *inject, sys.executable, "-c", WRITER, str(home.root)]
    done = subprocess.run(command, capture_output=True, check=False, env=environment, timeout=60)
    assert done.returncode != 0
    assert b"the disk is full" in done.stderr.splitlines()[-1]
    nothing_is_lost(home, done.stdout)


@pytest.mark.full
@pytest.mark.parametrize(("call", "when"), EVERY)
def test_any_failed_call_loses_nothing(home: LogHome, call: str, when: int) -> None:
    home.open()
    home.close()
    said, _ = write_while_failing(home, call, when)
    nothing_is_lost(home, said)
