"""The outbox of a node that is served as its operator serves it."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.request import urlopen

import msgspec
import pytest
from tests.outbox.conftest import Mailbox, free_port

from pellucid.record.settings import Mail, load_settings, write_settings

pytestmark = pytest.mark.full


def pellucid(home: Path, *words: str) -> list[str]:
    return [sys.executable, "-m", "pellucid.cli", "--home", str(home), *words]


def wait(holds: Callable[[], object]) -> None:
    end = time.monotonic() + 40
    while not holds():
        assert time.monotonic() < end, "it does not come to hold"
        time.sleep(0.05)


@pytest.fixture
def home(made_home: Path, tmp_path: Path) -> Path:
    """A home without a mail server."""
    found = shutil.copytree(made_home, tmp_path / "served")
    (found / "passphrase").write_bytes(b"correct horse\n")
    (found / "passphrase").chmod(0o600)
    return found


@pytest.fixture
def served(home: Path) -> Iterator[str]:
    """The address of the node while it runs."""
    process = subprocess.Popen(pellucid(home, "serve", "--listen", f"127.0.0.1:{free_port()}"))
    wait((home / "serving.json").exists)
    yield json.loads((home / "serving.json").read_text())["url"]
    process.send_signal(signal.SIGTERM)
    assert process.wait(30) == 0


def test_an_invitation_made_beside_a_running_node_is_mailed_once_there_is_a_server(
    home: Path, served: str, mailbox: Mailbox
) -> None:
    def standing() -> dict[str, object]:
        with urlopen(f"{served}/healthz") as answer:  # noqa: S310 - our own node
            found: dict[str, object] = json.load(answer)["outbox"]
        return found

    words = ["people", "invite", "rosa@elsewhere.example", "--role", "researcher", "--json"]
    invited = json.loads(subprocess.check_output(pellucid(home, *words), env={**os.environ, "COLUMNS": "100"}))
    wait(lambda: standing()["waiting"] == 1)
    assert standing()["mail"] == "no-mail-server-set"
    mail = Mail(host="127.0.0.1", port=mailbox.port, sender="node@vendor.example", security="none")
    write_settings(home, msgspec.structs.replace(load_settings(home), mail=mail))
    wait(lambda: mailbox.raw)
    wait(lambda: standing()["waiting"] == 0)
    [text] = mailbox.texts()
    assert mailbox.recipients == ["rosa@elsewhere.example"]
    assert "/join/" in text
    assert invited["code"] not in text
    assert invited["code"].replace(" ", "") not in text
