"""`pellucid key prove`: what the program signs is what the page asked, and the page takes it."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest
from tests.signing.desk import Desk
from tests.world import PASSPHRASE

from pellucid.cli import main
from pellucid.signing.challenge import make_challenge
from pellucid.signing.portal.models import PartyKey
from pellucid.statement import keys
from pellucid.statement.keys import PublicKey, seal_key
from pellucid.trust.predicate import Custody


@pytest.fixture
def key_file(desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Rita's key file and its passphrase, where she keeps them."""
    monkeypatch.setattr(keys, "_SCRYPT_N", 1024)
    (tmp_path / "passphrase").write_bytes(PASSPHRASE)
    path = tmp_path / "rita.key"
    path.write_bytes(seal_key(desk.key, PASSPHRASE))
    return path


def prove(challenge: Path, key_file: Path, *more: str) -> int:
    """Run the command."""
    words = [
        "key",
        "prove",
        str(challenge),
        "--key",
        str(key_file),
        "--passphrase-file",
        str(key_file.parent / "passphrase"),
    ]
    return main([*words, *more])


def challenge_file(folder: Path, public: PublicKey, custody: Custody = Custody.FILE, now: int | None = None) -> Path:
    """Write a challenge as a node would."""
    path = folder / "challenge.json"
    made = make_challenge("log.vendor.example/1", "0" * 32, public, custody, int(time.time()) if now is None else now)
    path.write_bytes(made.payload())
    return path


def test_the_page_takes_what_the_program_writes(
    desk: Desk, key_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    address, challenge = desk.challenge()
    downloaded = tmp_path / "challenge.json"
    downloaded.write_bytes(desk.client.get(f"{address}/file").content)
    assert prove(downloaded, key_file, "--json") == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["node"], found["account"], found["key"]) == (challenge.node, desk.account.id, desk.key.public.id)
    assert desk.answer(address, (tmp_path / "challenge.dsse.json").read_bytes())["Location"] == "/account/keys"
    assert PartyKey.objects.get().key_id == desk.key.public.id


def test_it_says_to_whom_and_for_whom_the_key_speaks(
    desk: Desk, key_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert prove(challenge_file(tmp_path, desk.key.public), key_file) == 0
    assert "log.vendor.example/1" in (said := capsys.readouterr().out)
    assert "0" * 32 in said


def test_it_signs_nothing_but_a_challenge_for_this_key(desk: Desk, key_file: Path, tmp_path: Path) -> None:
    other = desk.world.home.keys[next(iter(desk.world.home.keys))]
    cases = {
        "other.json": make_challenge("log.vendor.example/1", "0" * 32, other, Custody.FILE, int(time.time())).payload(),
        "old.json": make_challenge("log.vendor.example/1", "0" * 32, desk.key.public, Custody.FILE, 1000).payload(),
        "browser.json": make_challenge(
            "log.vendor.example/1", "0" * 32, desk.key.public, Custody.BROWSER, int(time.time())
        ).payload(),
        "statement.json": b'{"_type":"https://in-toto.io/Statement/v1"}',
        "large.json": b" " * 10_000,
    }
    for name, data in cases.items():
        (tmp_path / name).write_bytes(data)
        assert prove(tmp_path / name, key_file) == 2, name
    assert not list(tmp_path.glob("*.dsse.json"))
    assert prove(tmp_path / "absent.json", key_file) == 2


def test_it_overwrites_nothing(desk: Desk, key_file: Path, tmp_path: Path) -> None:
    challenge = challenge_file(tmp_path, desk.key.public)
    (tmp_path / "challenge.dsse.json").write_text("mine")
    assert prove(challenge, key_file) == 2
    assert (tmp_path / "challenge.dsse.json").read_text() == "mine"
    assert prove(challenge, key_file, "-o", str(tmp_path / "answer.json")) == 0
