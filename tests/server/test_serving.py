"""How a node starts, ends and is kept from being started twice."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pellucid.statement.dsse import Envelope

Start = Callable[..., Any]
Sign = Callable[..., Envelope]


def pellucid(home: Path, *words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "pellucid.cli", "--home", str(home), *words]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60, stdin=subprocess.DEVNULL)


def is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def gone(pid: int, seconds: float = 15.0) -> bool:
    end = time.monotonic() + seconds
    while is_alive(pid) and time.monotonic() < end:
        time.sleep(0.05)
    return not is_alive(pid)


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
def test_it_ends_cleanly_when_told(serve: Start, home: Path, how: signal.Signals) -> None:
    node = serve(home)
    node.until(lambda: node.url in node.said())
    assert node.stop(how) == 0
    assert not (home / "serving.json").exists()
    assert gone(node.worker)
    assert "ERROR" not in node.said()


def test_a_second_one_on_the_same_home_is_refused_by_name(serve: Start, home: Path) -> None:
    node = serve(home)
    second = pellucid(home, "serve", "--listen", "127.0.0.1:0", "--json")
    assert second.returncode == 3
    assert str(node.worker) in json.loads(second.stdout)["error"]["what"]
    assert node.get("/healthz").status == 200


def test_a_port_that_is_taken_is_told_and_the_home_stays_free(serve: Start, home: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        answer = pellucid(home, "serve", "--listen", f"127.0.0.1:{other.getsockname()[1]}")
        assert answer.returncode == 3
        assert "cannot listen" in answer.stderr
    assert serve(home).get("/healthz").status == 200


def test_two_nodes_never_share_a_port(serve: Start, home: Path, made_home: Path, tmp_path: Path) -> None:
    node = serve(home)
    other = tmp_path / "other"
    subprocess.run(["cp", "-r", str(made_home), str(other)], check=True)
    answer = pellucid(other, "serve", "--listen", node.url.removeprefix("http://"))
    assert answer.returncode == 3
    assert "cannot listen" in answer.stderr


@pytest.mark.parametrize("listen", ["8400", "127.0.0.1:99999", "127.0.0.1:", "somewhere.invalid:0"])
def test_what_is_no_address_is_told(home: Path, listen: str) -> None:
    answer = pellucid(home, "serve", "--listen", listen)
    assert answer.returncode in {2, 3}
    assert "remedy" in answer.stderr
    assert "Traceback" not in answer.stderr


def test_a_wrong_passphrase_is_told_and_nothing_runs(home: Path, tmp_path: Path) -> None:
    (tmp_path / "wrong").write_text("wrong\n")
    answer = pellucid(home, "serve", "--listen", "127.0.0.1:0", "--passphrase-file", str(tmp_path / "wrong"))
    assert answer.returncode == 2
    assert "passphrase is wrong" in answer.stderr
    assert "Traceback" not in answer.stderr
    assert not (home / "serving.json").exists()


def test_killed_it_leaves_nobody_behind_and_starts_again(serve: Start, home: Path, sign: Sign) -> None:
    node = serve(home)
    assert node.submit(sign(1)).status == 201
    node.process.kill()
    node.process.wait(20)
    assert gone(node.worker)
    (home / "serving.json").unlink(missing_ok=True)
    again = serve(home)
    again.until(lambda: again.size() == 1)
    receipt = again.submit(sign(1))
    assert receipt.status == 201
    assert again.stop() == 0
    assert pellucid(home, "fsck").returncode == 0


def test_when_the_process_with_the_node_dies_so_does_the_first(serve: Start, home: Path) -> None:
    node = serve(home)
    os.kill(node.worker, signal.SIGKILL)
    assert node.process.wait(40) == 3
    assert "ended by itself" in node.said()


def test_stale_words_of_a_killed_node_mislead_nobody(home: Path) -> None:
    (home / "serving.json").write_text(json.dumps({"url": "http://127.0.0.1:1", "pid": os.getpid()}))
    assert pellucid(home, "key", "list").returncode == 0
    assert pellucid(home, "reindex").returncode == 0


def test_two_writers_on_one_home_are_told_apart(serve: Start, home: Path) -> None:
    node = serve(home)
    answer = pellucid(home, "reindex", "--json")
    assert answer.returncode == 3
    assert str(node.worker) in json.loads(answer.stdout)["error"]["what"]
