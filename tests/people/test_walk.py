"""Everybody walks to every page and every operation of the API; who gets in is what the written tables say.

What an address asks for stands in `access_table.toml`, what a role may in docs/reference/permissions.md: the program is
held against these two, and not against its own decision.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from allauth.mfa.totp.internal.auth import TOTP
from django.conf import settings as django_settings
from django.core.cache import cache
from django.db import transaction
from django.test import Client
from tests.people.test_access_table import ACCOUNT, PUBLIC, written
from tests.people.test_permissions_page import rows
from tests.world import PEOPLE, TOTP_SECRET, World, sign_in

from pellucid.people.portal import access
from pellucid.people.refusals import RefusalBudget
from pellucid.people.roles import Role

IN, SIGN_IN, REFUSED, FACTOR, SESSION = "in", "sign in", "refused", "second factor", "operator session"
ALREADY_STARTED = {"/account/2fa/authenticate/"}  # the second step of signing in leads to the first
SAMPLES = {
    "hex64": "0" * 64,
    "pseudonym": "0" * 32,
    "int": "1",
    "str": "0" * 32,
    "slug": "none",
    "path": "x",
    "job": "x",
}


@dataclass(frozen=True)
class Standing:
    """Somebody as the tables see them: their roles (None for a visitor), second factor and operator session."""

    roles: tuple[Role, ...] | None
    factor: str = "used"
    in_session: bool = False

    def expects(self, who: str, grants: dict[str, dict[str, bool]]) -> str:
        """Return how far the tables let them go where `who` is asked for."""
        if who == PUBLIC:
            return IN
        if self.roles is None:
            return SIGN_IN
        if who == ACCOUNT:
            return IN
        if not any(grants[who][role.value] for role in self.roles):
            return REFUSED
        if self.factor != "used":
            return FACTOR
        return SESSION if grants[who]["in a session"] and not self.in_session else IN


STANDINGS: dict[str, Standing] = {
    "visitor": Standing(None),
    **{name: Standing(roles) for name, roles in PEOPLE.items() if name != "olga"},
    "otto in a session": Standing(PEOPLE["otto"], in_session=True),
    "otto without a second factor": Standing(PEOPLE["otto"], factor="none"),
    "rita without a second factor": Standing(PEOPLE["rita"], factor="none"),
    "rita who did not use her second factor": Standing(PEOPLE["rita"], factor="set"),
}


def browser_of(world: World, name: str, standing: Standing) -> Client:
    """Return the browser of somebody who stands like that."""
    person = name.split(maxsplit=1)[0]
    if standing.roles is None:
        return world.client(None)
    if standing.in_session:
        return world.operator_session(person)
    if standing.factor == "used":
        return world.client(person)
    account = world.join(person, *standing.roles, factor=False)
    browser = Client(SERVER_NAME="localhost")
    sign_in(browser, account)
    if standing.factor == "set":
        TOTP.activate(account, TOTP_SECRET)
    return browser


def requests_of(address: str) -> Iterator[tuple[str, str]]:
    """Yield the requests that ask for a page or an operation: both methods, and a page's twin in JSON."""
    method, _, path = address.rpartition(" ")
    fitting = re.sub(r"<([a-z0-9]+):[a-z_]+>", lambda match: SAMPLES[match[1]], path)
    fitting = re.sub(r"\{[a-z_:]+\}", "0" * 64, fitting)
    if method:
        yield method.replace("ANY", "GET"), f"/api{fitting.replace('0' * 64, 'x') if 'job' in path else fitting}"
        return
    yield "GET", fitting
    yield "POST", fitting
    if not fitting.endswith(("/", ".atom")):
        yield "GET", f"{fitting}.json"


def alone(browser: Client, method: str, path: str) -> Any:
    """Ask for something, and let nothing of what that did to the database or the cookies stay."""
    kept = browser.cookies.output()
    with transaction.atomic():
        answer = browser.generic(method, path)
        transaction.set_rollback(True)
    if browser.cookies.output() != kept:
        browser.cookies.clear()
        browser.cookies.load(re.sub(r"(?m)^Set-Cookie: ", "", kept).replace("\r\n", "; "))
    return answer


def outcome(answer: Any) -> str | None:
    """Return how far somebody got; None where the answer says only that this method is not known there."""
    if answer.status_code == 405:
        return None
    there = answer.headers.get("Location", "")
    if answer.status_code == 401 or there.startswith("/account/login/"):
        return SIGN_IN
    if there.startswith("/operator/session?next="):
        return SESSION
    if re.match(r"/account/2fa/(webauthn/)?reauthenticate/\?next=", there):
        return FACTOR
    if answer.status_code in {403, 429}:
        text = answer.content.decode()
        reasons = {"no role that allows": REFUSED, "second factor": FACTOR, "operator session": SESSION}
        return next((what for words, what in reasons.items() if words in text), f"{answer.status_code}: {text}")
    return IN


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=() if name == "visitor" else pytest.mark.full) for name in STANDINGS]
)
def test_everybody_gets_as_far_as_the_tables_say(world: World, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(access, "_budget", RefusalBudget(most=10_000))
    monkeypatch.setattr(django_settings, "WRITES_BY_ACCOUNT", 10_000)
    cache.clear()
    standing, grants = STANDINGS[name], rows()
    browser = browser_of(world, name, standing)
    for address, who in {**written("pages"), **written("api")}.items():
        wanted, seen = standing.expects(who, grants), 0
        for method, path in requests_of(address):
            found = outcome(alone(browser, method, path))
            if found is None:
                continue
            seen += 1
            is_same = found == wanted or (address in ALREADY_STARTED and found == SIGN_IN)
            assert is_same or (who == ACCOUNT and wanted == IN and found == FACTOR), (method, path, found, wanted)
        assert seen, f"{address} answers neither method"


def test_any_other_row_would_let_somebody_else_in() -> None:
    """Two rows that ask for different things differ in what somebody meets, unless the same roles hold both."""
    grants = rows()
    met = {
        who: tuple(standing.expects(who, grants) for standing in STANDINGS.values())
        for who in (PUBLIC, ACCOUNT, *grants)
    }
    for one, first in met.items():
        for other, second in met.items():
            is_same = one == other or (one in grants and other in grants and grants[one] == grants[other])
            assert (first == second) == is_same, (one, other)
