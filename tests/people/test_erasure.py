"""A person is erased: no byte of the name is left in the database, and nothing that was logged or proven changes."""

from __future__ import annotations

import json
import os
import re
import shutil
import sqlite3
import subprocess
import sys
import tarfile
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from tests.world import PASSPHRASE, World

from pellucid.audit.events import EventType
from pellucid.people.portal import erasure
from pellucid.people.portal.access import roles_of
from pellucid.people.portal.models import Account, OperatorSession, Organisation

# What a person leaves in a home's database, told by one who works in it as the pages do.
STAY = """
import sys
from pathlib import Path
from pellucid.site import database
database.prepare(Path(sys.argv[1]))
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.contrib.sessions.backends.db import SessionStore
from django.db import connection
from django.test import RequestFactory
from pellucid.people.portal import grants, invitations, sessions, spool
from pellucid.people.portal.models import Account
from pellucid.people.roles import Role
from pellucid.signing.portal.models import PartyKey
spool.serve()
made = invitations.invite("zenobia@lab.example", [Role.OPERATOR], by=None, organisation="Quixote Laboratories")
account = invitations.accept(made.invitation, made.code, "Zenobia Quarterstaff", "seven herons over the weir 4")
Authenticator.objects.create(user=account, type="webauthn", data={"name": "zenobia-phone"})
store = SessionStore()
store["_auth_user_id"] = account.id
store["account_authentication_methods"] = [{"method": "password", "email": account.email}]
store.save()
UserSession.objects.create(user=account, ip="192.0.2.77", session_key=store.session_key, user_agent="ZenobiaBrowser")
request = RequestFactory().get("/")
request.session = store
sessions.open_session(request, account, "Wombatgate: a key went missing", 30)
store.save()
PartyKey.objects.create(account=account, key_id=sys.argv[2], spki="-", custody="file", label="Zenobia at home")
for number in range(40):  # so that pages of the file are freed and used again
    Account.objects.create_user(f"person{number}@lab.example", name="Zenobia Quarterstaff" * 9)
Account.objects.filter(email__startswith="person").delete()
print(account.id)
"""
TRACES = ("enobia", "Quarterstaff", "Wombatgate", "went missing", "192.0.2.77", "zenobia-phone", "argon2")


def environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith(("PELLUCID_", "DJANGO_"))}


def python(*words: str | Path, cwd: Path | None = None, code: int = 0) -> str:
    run = [sys.executable, *map(str, words)]
    done = subprocess.run(run, capture_output=True, text=True, check=False, env=environment(), cwd=cwd)
    assert done.returncode == code, done.stderr
    return done.stdout


def pellucid(home: Path, *words: str, code: int = 0) -> str:
    return python("-m", "pellucid.cli", "--home", home, *words, cwd=home.parent, code=code)


def stay(home: Path, key: str) -> str:
    return python("-c", STAY, home, key).strip()


def everything(home: Path) -> bytes:
    """What lies in the home, whatever file it is in."""
    return b"".join(file.read_bytes() for file in sorted(home.rglob("*")) if file.is_file())


def log_files(home: Path) -> dict[str, bytes]:
    """What a log never changes: its full tiles and bundles would do, but here even what is still to be filled stays."""
    folders = (home / "log", home / "audit")
    files = (file for folder in folders for file in folder.rglob("*") if file.is_file() and "tile" in file.parts)
    return {str(file): file.read_bytes() for file in files}


def missing(data: bytes) -> list[str]:
    return [trace for trace in TRACES if trace.encode() not in data]


def verdict(home: Path, pack: str = "thing.json") -> str:
    words = ("ship/thing-1.0.tar.gz", "--pack", pack, "--policy", "policy.toml", "--at", "2031-01-01T00:00:00Z")
    return pellucid(home, "verify", *words, "--json")


@pytest.fixture
def home(made_home: Path, tmp_path: Path) -> Path:
    home: Path = shutil.copytree(made_home, tmp_path / "vendor")
    (home / "passphrase").write_bytes(PASSPHRASE + b"\n")
    return home


@pytest.fixture
def served(home: Path) -> Iterator[str]:
    """The address of a node that runs on the home."""
    run = [sys.executable, "-m", "pellucid.cli", "--home", str(home), "serve", "--listen", "127.0.0.1:0"]
    process = subprocess.Popen(run, env=environment())
    end, said = time.monotonic() + 60, home / "serving.json"
    while not said.is_file() and process.poll() is None and time.monotonic() < end:
        time.sleep(0.1)
    yield json.loads(said.read_text())["url"]
    process.terminate()
    process.wait(40)


def until_recorded(home: Path) -> None:
    """Wait until the node has taken in and published what a command at its home left to be recorded."""
    end, before, since = time.monotonic() + 30, -1, time.monotonic()
    while time.monotonic() < end and time.monotonic() - since < 5:
        size = int((home / "audit/checkpoint").read_bytes().split(b"\n")[1])
        if size != before:
            before, since = size, time.monotonic()
        time.sleep(0.2)
    assert before > 0


@pytest.mark.full
def test_no_byte_of_a_person_is_left_and_nothing_that_was_proven_changes(home: Path, served: str) -> None:
    folder = home.parent
    for name, text in (("thing/code.py", "print('nothing found')"), ("ship/note.txt", "x")):
        (folder / name).parent.mkdir()
        (folder / name).write_text(text)
    with tarfile.open(folder / "ship/thing-1.0.tar.gz", "w:gz") as archive:
        archive.add(folder / "thing", "thing")
    (folder / "ship/note.txt").unlink()
    pellucid(home, "release", "init", "ship")
    pellucid(home, "publish", "ship/release.toml")
    pellucid(home, "policy", "init", "--node", served, "-o", "policy.toml")
    policy = (folder / "policy.toml").read_text()
    (folder / "policy.toml").write_text(policy.replace("[[node]]", f'[[node]]\nurl = "{served}"'))
    pellucid(home, "key", "new", str(folder / "z.key"), "--name", "z", "--passphrase-file", str(home / "passphrase"))
    named = ("--name", "Zenobia Quarterstaff", "--role", "reviewer", "--json")
    key = json.loads(pellucid(home, "party", "accredit", str(folder / "z.key"), *named))["key"]
    pellucid(home, "pack", "ship/thing-1.0.tar.gz", "--policy", "policy.toml", "-o", "thing.json")
    person, before = stay(home, key), verdict(home)
    assert missing(everything(home)) == []
    assert b"Zenobia" in everything(home / "openings")
    until_recorded(home)
    logs = log_files(home)
    pellucid(home, "people", "erase", "zenobia@lab.example")
    assert missing(everything(home)) == list(TRACES)
    assert person.encode() in everything(home)
    now = log_files(home)
    assert {file: now.get(file) for file in logs} == logs
    assert verdict(home) == before
    pellucid(home, "pack", "ship/thing-1.0.tar.gz", "--policy", "policy.toml", "-o", "again.json")
    assert verdict(home, "again.json") == before
    pellucid(home, "fsck", str(home))
    told = json.loads(pellucid(home, "people", "list", "--json"))["people"]
    assert [(item["id"], item["state"], item["name"], item["email"], item["roles"]) for item in told] == [
        (person, "erased", None, None, [])
    ]


@pytest.mark.full
def test_somebody_who_still_reads_an_older_state_is_told_of_and_erasing_again_finishes(home: Path) -> None:
    pellucid(home, "people", "invite", "zenobia@lab.example")
    with closing(sqlite3.connect(home / "site.db", isolation_level=None)) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM people_portal_account").fetchone()
        (person,) = json.loads(pellucid(home, "people", "list", "--json"))["people"]
        refused = json.loads(pellucid(home, "people", "erase", person["id"], "--json", code=3))
        assert "still reads an older state" in refused["error"]["what"]
        reader.execute("COMMIT")
    pellucid(home, "people", "erase", person["id"])
    assert b"zenobia" not in everything(home)


def test_what_was_recorded_stays_and_says_nothing_any_more(world: World) -> None:
    rita = world.account("rita")
    world.client("rita").get("/people")
    browser = world.operator_session("otto")
    answer = browser.post(f"/people/{rita.id}/erase", {"sure": "on"})
    assert answer.headers["Location"] == "/people"
    assert world.events(EventType.ACCOUNT_ERASED)[0].about == (rita.id,)
    assert any(event.actor == rita.id for event in world.events(EventType.ACCESS_REFUSED))
    rita.refresh_from_db()
    assert (rita.name, rita.email, rita.is_active) == ("", f"{rita.id}@erased.invalid", False)
    assert roles_of(Account.objects.get(id=rita.id)) == frozenset()
    assert "Rita" not in browser.get(f"/people/{rita.id}").text


def test_an_erased_person_is_signed_out_and_stays_out(world: World) -> None:
    browser = world.client("rita")
    erasure.erase(world.account("rita"), by=None)
    assert browser.get("/account").status_code == 302
    browser.post("/account/login/", {"login": "rita@people.example", "password": "x" * 12})
    assert browser.get("/account").status_code == 302


def test_an_operator_s_reasons_go_with_the_operator(world: World) -> None:
    world.operator_session("otto")
    erasure.erase(world.account("otto"), by=world.account("olga"))
    session = OperatorSession.objects.get()
    assert session.opening == ""
    assert session.closed_at is not None
    assert "The reason is erased" in world.operator_session("olga").get("/operator/sessions").text


def test_it_is_asked_first_and_nobody_erases_themselves(world: World) -> None:
    rita, otto, browser = world.account("rita"), world.account("otto"), world.operator_session("otto")
    assert browser.get(f"/people/{rita.id}/erase").status_code == 200
    assert browser.post(f"/people/{rita.id}/erase").status_code == 200
    assert "nobody erases themselves" in browser.post(f"/people/{otto.id}/erase", {"sure": "on"}).text
    rita.refresh_from_db()
    otto.refresh_from_db()
    assert (rita.erased_at, otto.erased_at) == (None, None)
    assert world.client("rita").post(f"/people/{otto.id}/erase", {"sure": "on"}).status_code == 403


def test_whoever_keeps_something_about_a_person_hears_of_it(world: World) -> None:
    heard: list[str] = []

    def forget(account: Account, **_more: object) -> None:
        heard.append(account.id)

    erasure.person_erased.connect(forget)
    try:
        erasure.erase(world.account("rita"), by=None)
    finally:
        erasure.person_erased.disconnect(forget)
    assert heard == [world.account("rita").id] or len(heard) == 1


def test_the_name_of_an_organisation_is_erased_alone(world: World) -> None:
    browser = world.operator_session("otto")
    lab = Organisation.objects.create(name="Example Lab")
    assert "Example Lab" in browser.get("/organisations").text
    browser.post(f"/organisations/{lab.id}/erase", {"sure": "on"})
    assert "Example Lab" not in browser.get("/organisations").text
    lab.refresh_from_db()
    assert (lab.name, re.fullmatch("[0-9a-f]{32}", lab.id) is not None) == ("", True)
