"""Where visitors come by HTTPS: what is sent in the open is led or refused, cookies and answers are bound to it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from tests.world import World

from pellucid.site.front import Front

SERVED = """
import django
django.setup()
from django.conf import settings
from django.core.cache import cache
from django.core.management import call_command
from django.test import Client
call_command("migrate", verbosity=0)
from pellucid.site import current
from pellucid.people.portal.models import Account
from tests.site.sample import Sample
current.serve(Sample())
account = Account.objects.create_user("rita@people.example", "a pass phrase of the tests", name="Rita", is_active=True)
account.joined_at = account.made_at
HSTS = "max-age=31536000; includeSubDomains"
browser = Client(SERVER_NAME="localhost")
browser.raise_request_exception = False
browser.force_login(account, settings.AUTHENTICATION_BACKENDS[0])
for address in ("/", "/index.json", "/log", "/account/login/", "/account", "/account.json", "/people", "/nowhere",
                "/api/me", "/api/nowhere", "/feed.atom", settings.STATIC_URL + "site/base.css",
                settings.STATIC_URL + "nowhere"):
    answer = browser.get(address, secure=True)
    assert answer.headers["Strict-Transport-Security"] == HSTS, (address, answer.status_code)
    assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"], address
    plain = browser.get(address)
    if address.startswith("/api/"):
        assert plain.status_code != 301, address
        far = browser.get(address, REMOTE_ADDR="192.0.2.1")
        assert (far.status_code, far.json()["error"]["remedy"]) == (403, "ask by https"), address
        assert browser.get(address, HTTP_X_FORWARDED_FOR="192.0.2.1").status_code == 403, address
    else:
        assert (plain.status_code, plain.headers["Location"]) == (301, "https://localhost" + address), address
        assert "frame-ancestors 'none'" in plain.headers["Content-Security-Policy"], address
    assert plain.headers["X-Content-Type-Options"] == "nosniff"
    assert not plain.cookies
new = Client(SERVER_NAME="localhost", headers={"Referer": "https://localhost/"})
answers = [new.get("/account/login/", secure=True)]
answers.append(new.post("/account/2fa/webauthn/login/", secure=True))
answers.append(new.post("/language", {"language": "de", "next": "/"}, secure=True))
cookies = {name: cookie for answer in answers for name, cookie in answer.cookies.items()}
assert set(cookies) == {"__Host-csrf", "__Host-session", "__Host-language"}, cookies
for name, cookie in cookies.items():
    assert cookie["secure"] and cookie["httponly"] and cookie["samesite"] in {"Lax", "Strict"}, name
    assert cookie["path"] == "/" and not cookie["domain"], name
assert not cookies["__Host-session"]["max-age"]
print("as it should be")
"""


def served(**environ: str) -> subprocess.CompletedProcess[str]:
    """Run what is above as a program of its own: Django reads its settings once."""
    given = {**os.environ, "DJANGO_SETTINGS_MODULE": "pellucid.site.settings", **environ}
    where = Path(__file__).parents[2]
    return subprocess.run(
        [sys.executable, "-c", SERVED], env=given, cwd=where, capture_output=True, text=True, timeout=120, check=False
    )


def test_every_answer_and_every_cookie_is_bound_to_https() -> None:
    done = served(PELLUCID_HTTPS="1")
    assert "as it should be" in done.stdout, done.stderr[-3000:]


@pytest.mark.full
def test_without_https_the_same_walk_fails() -> None:
    assert "as it should be" not in served(PELLUCID_HTTPS="0").stdout


def ask(front: Front, method: str, path: str) -> tuple[str, dict[str, str], bytes]:
    """Send one request to the front as the server does."""
    told: list[Any] = []
    environ = {"REQUEST_METHOD": method, "PATH_INFO": path, "REMOTE_ADDR": "192.0.2.1", "HTTP_X_ECHO": "tell me"}
    body = b"".join(front(environ, lambda status, headers: told.extend((status, dict(headers)))))
    return told[0], told[1], body


PATHS = ("/checkpoint", "/healthz", "/add-checkpoint", "/tile/0/000", "/mirror/x", "/witness/x", "/audit/checkpoint")


def nobody(_environ: Any, start: Any) -> list[bytes]:
    start("200 OK", [])
    return [b""]


@pytest.mark.parametrize("path", PATHS)
def test_the_log_and_the_witness_answer_with_the_same_care(
    world: World, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    front = Front(world.node, nobody)
    status, headers, _body = ask(front, "GET", path)
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Content-Security-Policy"].startswith("default-src 'none'")
    assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
    assert headers["Content-Type"]
    assert "Strict-Transport-Security" not in headers
    monkeypatch.setenv("PELLUCID_HTTPS", "1")
    assert ask(front, "GET", path)[1]["Strict-Transport-Security"] == "max-age=31536000; includeSubDomains"
    assert status[:3] in {"200", "404", "405"}


@pytest.mark.parametrize("method", ["TRACE", "PUT", "DELETE", "CONNECT", "PROPFIND"])
def test_the_front_answers_no_odd_method(world: World, method: str) -> None:
    for path in ("/checkpoint", "/healthz", "/add-checkpoint", "/audit/checkpoint"):
        status, headers, body = ask(Front(world.node, nobody), method, path)
        assert status.startswith("405")
        assert headers["Allow"]
        assert b"tell me" not in body
