"""Every address of a node, filled with things that are really there, as each kind of visitor finds it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from django.test import Client
from django.urls import URLResolver, get_resolver
from django.utils import timezone
from tests.signing.desk import Desk, review
from tests.world import World

from pellucid.outbox.portal import feeds
from pellucid.outbox.portal.models import Webhook
from pellucid.people.portal import invitations
from pellucid.people.portal.models import Organisation, RoleGrant
from pellucid.people.roles import Role
from pellucid.signing.portal.models import KeyChallenge
from pellucid.statement.keys import Role as KeyRole
from pellucid.statement.keys import generate_key

NOBODYS = {"hex64": "0" * 64, "pseudonym": "0" * 32, "int": "999999", "str": "0" * 32, "slug": "none", "path": "none"}
API = ("card", "logs", "me", "me/record", "me/record/proof", "jobs", "openapi.json", "statements", "lookup", "nowhere")


@dataclass(frozen=True, slots=True)
class Seen:
    """One answer: who asked for what, and what came."""

    who: str
    method: str
    address: str
    answer: Any

    def __str__(self) -> str:
        return f"{self.who}: {self.method} {self.address} -> {self.answer.status_code}"


def views(resolver: Any = None, before: str = "/") -> Iterator[tuple[str, Any]]:
    """Yield the pattern and the view of every page."""
    for pattern in (resolver or get_resolver()).url_patterns:
        path = before + str(pattern.pattern)
        if not isinstance(pattern, URLResolver):
            yield path, pattern.callback
        elif pattern.namespace is None:
            yield from views(pattern, path)


def filled(path: str, things: Mapping[str, str] = {}) -> str:
    """Return an address that fits a pattern, with the things that are there, and nobody's where there is none."""
    return re.sub(r"<([a-z0-9]+):([a-z_]+)>", lambda match: things.get(match[2]) or NOBODYS.get(match[1], "none"), path)


def things_of(world: World) -> dict[str, str]:
    """Make one of everything that has an address, of rita's where it is somebody's; return name in patterns -> id."""
    desk = Desk(world)
    rita, otto = desk.account, world.account("otto")
    key = desk.enrol()
    signing = desk.bring(review())
    desk.begin(generate_key(KeyRole.PARTY, "second"))
    webhook = Webhook.objects.create(account=rita, url="https://hooks.example/x", kinds=[], made_at=timezone.now())
    grant = RoleGrant.objects.create(account=rita, role=Role.ASSESSOR.value, granted_by=otto)
    invited = invitations.invite("newcomer@people.example", [Role.REVIEWER], by=otto)
    job = world.jobs.start("check-logs", "check-logs-1", {}, asked_by=otto.id).id
    return {
        "person": rita.id,
        "account": rita.id,
        "organisation": Organisation.objects.create(name="Example Organisation").id,
        "grant": str(grant.pk),
        "key": key.key_id,
        "challenge_id": KeyChallenge.objects.get(account=rita).id,
        "request_id": signing.id,
        "webhook": webhook.id,
        "token": feeds.renewed(rita),
        "address": invited.invitation.address,
        "job_id": job,
    }


def addresses(things: Mapping[str, str]) -> list[str]:
    """Return every page, its twin, and the API's operations that are read."""
    pages = [filled(path, things) for path, _view in views()]
    twins = ["/index.json" if page == "/" else f"{page}.json" for page in pages]
    return [*pages, *twins, *(f"/api/{path}" for path in API), f"/api/jobs/{things.get('job_id', 'none')}", "/nowhere"]


def browser_of(world: World, who: str) -> Client:
    """Return the browser of a visitor, of somebody who is signed in, or of otto at work."""
    browser = world.operator_session(who) if who == "otto" else world.client(None if who == "a visitor" else who)
    browser.raise_request_exception = False
    return browser


def walked(world: World, *who: str) -> tuple[Seen, ...]:
    """Ask for everything as each of them."""
    things = things_of(world)
    found = []
    for name in who:
        browser = browser_of(world, name)
        found += [Seen(name, "GET", address, browser.get(address)) for address in addresses(things)]
    return tuple(found)
