"""The API under generated requests of a visitor, a reviewer and an operator at work: nobody gets what is not theirs."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from tests.people.test_access_table import PUBLIC, written
from tests.people.test_permissions_page import rows
from tests.people.test_walk import IN, STANDINGS
from tests.server.conftest import Served, start

pytestmark = pytest.mark.full
schemathesis = pytest.importorskip("schemathesis")
checks = pytest.importorskip("schemathesis.specs.openapi.checks")
GenerationMode = schemathesis.GenerationMode

ROOT = Path(__file__).parents[2]
EXAMPLES = 12
UNQUESTIONED = {"GET /api/me"}  # nothing can be said wrong there
REFUSALS = {401, 403, 429}
TOKEN = "a" * 32  # a browser holds it twice, as a cookie and in its forms: no other site can read the one
ROLES = ("visitor", "rita", "otto in a session")
JOIN = """
import json, sys
from pathlib import Path
from pellucid.site.database import prepare
prepare(Path(sys.argv[1]))
from allauth.mfa.totp.internal.auth import TOTP
from django.conf import settings
from django.test import Client
from tests.world import PEOPLE, TOTP_SECRET, sign_in
from pellucid.people.portal.models import Account, RoleGrant
made = {}
for name in ("rita", "otto"):
    account = Account.objects.create_user(f"{name}@people.example", name=name)
    RoleGrant.objects.bulk_create(RoleGrant(account=account, role=role.value) for role in PEOPLE[name])
    TOTP.activate(account, TOTP_SECRET)
    browser = Client(SERVER_NAME="127.0.0.1")
    sign_in(browser, account)
    made[name] = {settings.SESSION_COOKIE_NAME: browser.cookies[settings.SESSION_COOKIE_NAME].value}
print(json.dumps(made))
"""


@dataclass(frozen=True)
class Caller:
    """Somebody who asks the API, by the headers that their browser sends."""

    name: str
    headers: dict[str, str]

    def may(self, operation: str) -> bool:
        """Tell whether the written tables let them in."""
        method, _, path = operation.partition(" /api")
        return STANDINGS[self.name].expects(written("api")[f"{method} {path}"], rows()) == IN


@pytest.fixture(scope="module")
def node(made_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A node with its people."""
    home = Path(shutil.copytree(made_home, tmp_path_factory.mktemp("served") / "vendor"))
    joined = subprocess.run(
        [sys.executable, "-c", JOIN, str(home)], capture_output=True, text=True, cwd=ROOT, check=False
    )
    assert joined.returncode == 0, joined.stderr
    (home / "joined.json").write_text(joined.stdout)
    served = start(home)
    yield served
    served.process.kill()
    served.process.wait(20)


@pytest.fixture(scope="module")
def callers(node: Served) -> dict[str, Caller]:
    """Who asks: with the token that their browser got, and the operator in an operator session."""
    found = {"visitor": Caller("visitor", {})}
    for name, cookies in json.loads((node.home / "joined.json").read_text()).items():
        cookie = "; ".join(f"{key}={value}" for key, value in {**cookies, "csrf": TOKEN}.items())
        found[name] = Caller(name, {"Cookie": cookie, "X-CSRFToken": TOKEN})
    otto = found.pop("otto")
    asked = b"reason=at+work+in+a+test&minutes=60"
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    opened = node.ask("POST", "/operator/session", asked, **otto.headers, **form)
    assert opened.status == 302, opened.body
    found["otto in a session"] = Caller("otto in a session", otto.headers)
    return found


@pytest.fixture(scope="module")
def operations(node: Served) -> list[Any]:
    schema = schemathesis.openapi.from_url(f"{node.url}/api/openapi.json")
    return [found.ok() for found in schema.get_all_operations()]


@pytest.mark.parametrize("mode", list(GenerationMode))
@pytest.mark.parametrize("role", ROLES)
def test_nobody_gets_what_is_not_theirs_and_every_answer_is_as_documented(
    operations: list[Any], callers: dict[str, Caller], role: str, mode: Any
) -> None:
    caller = callers[role]
    assert {item.label.replace(" /api", " ") for item in operations} | {"ANY /{path:rest}"} == set(written("api"))
    asked = [item for item in operations if written("api")[item.label.replace(" /api", " ")] != PUBLIC]
    fitting = [item for item in asked if item.label not in UNQUESTIONED or mode is GenerationMode.POSITIVE]
    assert sum(ask(operation, caller, mode) for operation in fitting) > EXAMPLES * len(fitting) / 2


def ask(operation: Any, caller: Caller, mode: Any) -> int:
    """Send generated requests to one operation; return how many."""
    count, may = 0, caller.may(operation.label)
    excluded = [checks.positive_data_acceptance]
    if caller.headers:  # the library takes its own cookies for those that are sent
        excluded += [checks.ignored_auth, checks.negative_data_rejection]

    @settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck), database=None)
    @given(case=operation.as_strategy(generation_mode=mode))
    def send(case: Any) -> None:
        nonlocal count
        count += 1
        case.headers.update(caller.headers)
        answer = case.call()
        case.validate_response(answer, excluded_checks=excluded)
        assert answer.status_code < 500
        unread = answer.status_code == 400 and mode is GenerationMode.NEGATIVE  # an id that is none has no owner
        assert (answer.status_code in REFUSALS) != may or unread, (caller.name, answer.status_code, answer.text)

    send()
    return count


def test_the_logs_are_whole_afterwards(node: Served) -> None:
    assert node.stop() == 0
    checked = [sys.executable, "-m", "pellucid.cli", "fsck", str(node.home)]
    assert subprocess.run(checked, capture_output=True, check=False).returncode == 0
