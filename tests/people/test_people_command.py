"""`pellucid people`, at a node's home: the first operators come in by it."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from tests.world import World

from pellucid.audit.events import EventType
from pellucid.audit.portal import door
from pellucid.errors import InputError
from pellucid.people.portal import invitations, spool
from pellucid.people.portal.desk import PeopleDesk
from pellucid.people.portal.models import Account, Invitation, WaitingEvent
from pellucid.people.roles import Role


def pellucid(home: Path, *words: str, code: int = 0) -> Any:
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("PELLUCID_", "DJANGO_"))}
    run = [sys.executable, "-m", "pellucid.cli", "--home", str(home), "people", *words, "--json"]
    done = subprocess.run(run, capture_output=True, text=True, check=False, env=clean)
    assert done.returncode == code, done.stderr
    return json.loads(done.stdout)


@pytest.mark.full
def test_the_first_operator_is_invited_listed_and_erased_at_the_home(made_home: Path, tmp_path: Path) -> None:
    home = shutil.copytree(made_home, tmp_path / "vendor")
    invited = pellucid(home, "invite", "otto@vendor.example", "--role", "operator")
    assert re.fullmatch(r"([0-9]{5} ){7}[0-9]{5}", invited["code"])
    assert "/join/" in invited["address"]
    (otto,) = pellucid(home, "list")["people"]
    assert (otto["id"], otto["state"], otto["email"]) == (invited["id"], "invited", "otto@vendor.example")
    granted = pellucid(home, "grant", "otto@vendor.example", "--role", "assessor")
    assert granted == {"id": invited["id"], "role": "assessor"}
    assert pellucid(home, "list")["people"][0]["roles"] == ["assessor"]
    assert pellucid(home, "grant", "nobody@vendor.example", "--role", "assessor", code=2)["error"]["remedy"]
    assert pellucid(home, "erase", "nobody@vendor.example", code=2)["error"]["what"] == "nobody is here by that"
    assert pellucid(home, "erase", "otto@vendor.example")["erased"]
    assert b"otto@" not in (home / "site.db").read_bytes()


@pytest.fixture
def desk(world: World) -> PeopleDesk:
    return PeopleDesk(world.home)


def invite(desk: PeopleDesk, email: str, *roles: Role, organisation: str = "") -> Any:
    return desk.invite(email, roles, organisation=organisation, until=None, days=7)


def test_what_a_command_did_is_taken_into_the_log_once(world: World, desk: PeopleDesk) -> None:
    made = invite(desk, "olaf@vendor.example", Role.OPERATOR)
    assert world.events() == ()
    door.serve(world.node.trail)
    assert spool.take_in(world.node.trail) == 1
    assert spool.take_in(world.node.trail) == 0
    (event,) = world.events(EventType.ACCOUNT_INVITED)
    assert (event.actor, event.about, event.details["role"]) == (None, (made.account,), "operator")


def test_what_cannot_be_recorded_is_not_done(world: World, desk: PeopleDesk, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(self: object, event: object) -> int:
        raise InputError("the disk is full")

    monkeypatch.setattr(spool.Spool, "record", refuse)
    with pytest.raises(InputError):
        invite(desk, "olaf@vendor.example", Role.OPERATOR)
    assert not Account.objects.exists()
    assert not Invitation.objects.exists()
    assert not WaitingEvent.objects.exists()


def test_who_is_here_gets_a_way_back_and_no_role(world: World, desk: PeopleDesk) -> None:
    world.account("rita")
    assert invite(desk, "Rita@people.example").again
    with pytest.raises(InputError, match="here already"):
        invite(desk, "rita@people.example", Role.OPERATOR)


NO_ADDRESS = ("", "rita", "rita@", "a@b@c", "rita@x.example\nBcc: x@y.example", "x" * 300 + "@y.example")


@pytest.mark.parametrize("email", NO_ADDRESS, ids=["empty", "name", "no host", "two", "header", "long"])
def test_what_is_no_address_is_refused(desk: PeopleDesk, email: str) -> None:
    with pytest.raises(invitations.InvitationError, match="no mail address"):
        invite(desk, email)
