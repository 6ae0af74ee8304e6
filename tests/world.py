"""The people of a node, for tests: a vendor's contact, two operators, those who review and assess, and an outsider.

A test folder's conftest takes the fixture by `from tests.world import world`; then a test of a permission is

    def test_only_operators_see_people(world: World) -> None:
        assert world.client("rita").get("/people").status_code == 403
        assert world.operator_session("otto").get("/people").status_code == 200
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import TOTP
from django.conf import settings
from django.contrib.auth.hashers import Argon2PasswordHasher, make_password
from django.test import Client

from pellucid import capabilities
from pellucid.audit.events import Event, EventType
from pellucid.audit.portal import door as audit_door
from pellucid.jobs.inline import InlineJobs
from pellucid.jobs.portal import door as jobs_door
from pellucid.node import Home, Node, Settings, create_home
from pellucid.node.job_tools import tools_of
from pellucid.people.decision import Factor, Standing, obstacle
from pellucid.people.permissions import Permission
from pellucid.people.portal.models import Account, RoleGrant
from pellucid.people.roles import Role
from pellucid.signing.portal import door as signing_door
from pellucid.site import answers, current, signing_ground
from pellucid.statement import keys as key_files

PEOPLE: dict[str, tuple[Role, ...]] = {
    "vera": (Role.VENDOR_CONTACT,),
    "otto": (Role.OPERATOR,),
    "olga": (Role.OPERATOR,),
    "rita": (Role.REVIEWER,),
    "asif": (Role.ASSESSOR,),
    "anja": (Role.ATTESTOR,),
    "rosa": (Role.RESEARCHER,),
    "mallory": (),
}
PASSPHRASE = b"correct horse"
PASSWORD = "a pass phrase of the tests, 17 badgers"  # noqa: S105 - opens nothing but the worlds of tests
TOTP_SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"  # noqa: S105 - the same


class World:
    """A node's home with its node open, and its people signed in where a test wants them.

    The clock of the node is the machine's. Times of Django are too.
    """

    def __init__(self, home: Home, node: Node) -> None:
        self.home = home
        self.node = node
        audit_door.serve(node.trail)
        current.serve(node.views)
        answers.serve(node)
        signing_ground.serve(node)
        self.jobs = InlineJobs(capabilities.jobs(), tools_of(home, node))
        jobs_door.serve(self.jobs)

    def account(self, name: str) -> Account:
        """Return the account of one of `PEOPLE`, made at the first call, with its roles and a second factor."""
        found = Account.objects.filter(email=f"{name}@people.example").first()
        return found or self.join(name, *PEOPLE[name])

    def join(self, name: str, *roles: Role, factor: bool = True) -> Account:
        """Make an account with these roles, and with TOTP as second factor unless told otherwise."""
        account = Account.objects.create(
            email=f"{name}@people.example",
            name=f"{name.title()} Example",
            password=_password_hash(),
            joined_at=now(),
        )
        RoleGrant.objects.bulk_create(RoleGrant(account=account, role=role.value) for role in roles)
        if factor:
            TOTP.activate(account, TOTP_SECRET)
        return account

    def client(self, name: str | None, **environ: Any) -> Client:
        """Return a browser in which `name` has signed in with both factors; None for a visitor."""
        browser = Client(SERVER_NAME="localhost", **environ)
        if name is not None:
            sign_in(browser, self.account(name))
        return browser

    def operator_session(self, name: str) -> Client:
        """Return a browser in which the operator `name` has opened an operator session."""
        browser = self.client(name)
        asked = {"reason": f"{name} is at work in a test", "minutes": "60"}
        assert browser.post("/operator/session", asked).status_code == 302
        return browser

    def events(self, *types: EventType) -> tuple[Event, ...]:
        """Return what the audit log holds, of these types or of all, oldest first."""
        return tuple(item.event for item in reversed(self.node.trail.events(types=types, limit=10_000)))


def sign_in(browser: Client, account: Account) -> None:
    """Sign an account in as if with a password, and with its second factor where it has one."""
    browser.force_login(account, settings.AUTHENTICATION_BACKENDS[0])
    now = time.time()
    records: list[dict[str, Any]] = [{"method": "password", "at": now, "email": account.email}]
    factor = Authenticator.objects.filter(user=account).exclude(type=Authenticator.Type.RECOVERY_CODES).first()
    if factor is not None:
        records.append({"method": "mfa", "at": now, "id": factor.pk, "type": factor.type})
    session = browser.session
    session["account_authentication_methods"] = records
    session["account_authentication_methods_user"] = account.pk
    session.save()


def open_to(roles: Iterable[Role], *, in_session: bool) -> frozenset[Permission]:
    """Return what somebody with these roles and a used factor reaches right now."""
    standing = Standing(signed_in=True, roles=frozenset(roles), factor=Factor.USED, in_session=in_session)
    return frozenset(item for item in Permission if obstacle(standing, item) is None)


def now() -> datetime:
    """Return the time."""
    return datetime.now(UTC)


@cache
def _password_hash() -> str:
    return make_password(PASSWORD)


@pytest.fixture(scope="session")
def made_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A vendor's home, made once, whose keys open with the least work that is allowed."""
    values = Settings("log.vendor.example/1", "vendor", "europe", "Example Vendor", listen="127.0.0.1:0")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(key_files, "_SCRYPT_N", 1024)
        home = create_home(tmp_path_factory.mktemp("world") / "vendor", values, PASSPHRASE)
    Node.open(home, PASSPHRASE).stop()  # makes its databases, once for all copies
    return home.path


@pytest.fixture
def world(made_home: Path, tmp_path: Path, db: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    """A node with its people, on a scratch disk and an empty database; passwords are hashed with the least work."""
    for cost, least in (("time_cost", 1), ("memory_cost", 64), ("parallelism", 1)):
        monkeypatch.setattr(Argon2PasswordHasher, cost, least)
    home = Home(shutil.copytree(made_home, tmp_path / "vendor"))
    with Node.open(home, PASSPHRASE) as node:
        found = World(home, node)
        yield found
        found.jobs.close()
    for served in (audit_door._served, jobs_door._served, current._served, answers._served, signing_door._served):
        served.clear()
