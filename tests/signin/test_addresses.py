"""Sign-in has these addresses and no others; each page is ours, is kept by no cache, and has a harmless twin."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import allauth.urls
import pytest
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from django.conf import settings
from django.contrib.sessions.models import Session
from django.test import Client
from django.urls import Resolver404, resolve
from tests.world import PASSWORD, TOTP_SECRET, World

from pellucid.site.accounts.urls import urlpatterns

PAGES = (
    "/account/logout/",
    "/account/password/change/",
    "/account/email/",
    "/account/sessions/",
    "/account/2fa/",
    "/account/2fa/totp/deactivate/",
    "/account/2fa/recovery-codes/",
    "/account/2fa/recovery-codes/generate/",
    "/account/2fa/reauthenticate/",
    "/account/2fa/webauthn/add/",
)
ABSENT = (
    "signup/", "signup/passkey/", "password/reset/", "password/reset/done/", "password/reset/key/1-abc/",
    "password/reset/key/done/", "password/set/", "confirm-email/", "confirm-email/abc/", "inactive/",
    "login/code/", "login/code/confirm/", "3rdparty/signup/", "3rdparty/login/error/", "3rdparty/login/cancelled/",
    "social/signup/", "2fa/trust/", "2fa/webauthn/", "2fa/webauthn/signup/", "2fa/recovery-codes/download/",
    "phone/verify/", "phone/change/",
)  # fmt: skip


def test_the_addresses_are_these() -> None:
    assert {str(each.pattern) for each in urlpatterns} == {
        "login/", "logout/", "reauthenticate/", "password/change/", "email/", "sessions/", "3rdparty/",
        "2fa/", "2fa/authenticate/", "2fa/reauthenticate/", "2fa/totp/activate/", "2fa/totp/deactivate/",
        "2fa/recovery-codes/", "2fa/recovery-codes/generate/",
        "2fa/webauthn/add/", "2fa/webauthn/login/", "2fa/webauthn/reauthenticate/",
        "2fa/webauthn/keys/<int:pk>/edit/", "2fa/webauthn/keys/<int:pk>/remove/",
        "oidc/<slug:provider_id>/login/", "oidc/<slug:provider_id>/login/callback/",
    }  # fmt: skip


@pytest.mark.parametrize("address", ABSENT)
def test_what_is_not_needed_is_not_there(address: str) -> None:
    with pytest.raises(Resolver404):
        resolve(f"/account/{address}")


def test_the_library_would_have_more() -> None:
    """The control: asked for its own list, it has sign-up and reset by mail."""
    there = {resolve(f"/{address}", urlconf=allauth.urls).url_name for address in ("signup/", "password/reset/")}
    assert there == {"account_signup", "account_reset_password"}


def test_each_page_is_ours_private_and_not_kept(world: World) -> None:
    rita = world.client("rita")
    for address in PAGES:
        RecoveryCodes.activate(world.account("rita"))
        page = rita.get(address)
        text = page.content.decode()
        assert page.status_code == 200
        assert "no-store" in page.headers["Cache-Control"]
        assert len(re.findall(r"<h1[ >]", text)) == 1
        assert page.context["page"].title in text
        assert not re.search(r"<style|\sstyle=|\son[a-z]+=|javascript:|<script(?![^>]*(?:src=|application/json))", text)
        assert not re.search(r"(?:src|href|action)=[\"']https?:", text)


def test_each_page_is_for_who_is_signed_in(world: World) -> None:
    for address in PAGES:
        gone = Client(SERVER_NAME="localhost").get(address)
        assert gone.status_code == 302
        assert gone.headers["Location"].startswith("/" if address == "/account/logout/" else "/account/login/")


def test_no_twin_of_a_page_holds_a_secret(world: World) -> None:
    rita = world.client("rita")
    codes = RecoveryCodes.activate(world.account("rita")).get_unused_codes()
    for address in PAGES:
        twin = rita.get(f"{address}.json")
        assert twin.json()["title"]
        assert not any(secret in twin.content.decode() for secret in (*codes, TOTP_SECRET, PASSWORD))


def test_the_page_of_a_new_app_shows_its_key_as_a_picture_without_style(world: World) -> None:
    newcomer = Client(SERVER_NAME="localhost")
    world.join("newcomer", factor=False)
    newcomer.post("/account/login/", {"login": "newcomer@people.example", "password": PASSWORD})
    page = newcomer.get("/account/2fa/totp/activate/")
    text = page.content.decode()
    assert re.search(r'<svg class="qr"[^>]*role="img"', text)
    assert "style=" not in text
    assert "data:" not in text
    secret = page.context["form"].secret
    assert secret not in newcomer.get("/account/2fa/totp/activate/.json").content.decode()


def test_who_reads_gets_no_cookie(world: World) -> None:
    for address in ("/", "/log", "/nodes", "/check", "/search?q=x"):
        answer = Client(SERVER_NAME="localhost").get(address)
        assert answer.status_code == 200
        assert not answer.cookies


HASHED = "import django; django.setup(); from django.contrib.auth.hashers import make_password as m; print(m('x'))"


def test_who_looks_at_the_sign_in_page_gets_no_session(world: World) -> None:
    visitor = Client(SERVER_NAME="localhost")
    assert visitor.get("/account/login/").status_code == 200
    assert set(visitor.cookies) == {settings.CSRF_COOKIE_NAME}
    assert not Session.objects.exists()
    visitor.post("/account/2fa/webauthn/login/")
    assert Session.objects.count() == 1


DEPLOYED = """
import django
django.setup()
from django.conf import settings
from django.core.management import call_command
from django.test import Client
from pellucid.site import current
from tests.site.sample import Sample
call_command("check", deploy=True, fail_level="WARNING")
current.serve(Sample())
plain = Client(SERVER_NAME="localhost").get("/account/login/")
assert (plain.status_code, plain.headers["Location"]) == (301, "https://localhost/account/login/")
answer = Client(SERVER_NAME="localhost").get("/account/login/", secure=True)
assert answer.headers["Strict-Transport-Security"].startswith("max-age=31536000")
assert set(answer.cookies) == {"__Host-csrf"}
for cookie in answer.cookies.values():
    assert cookie["secure"] and cookie["httponly"] and cookie["samesite"] == "Lax"
    assert cookie["path"] == "/" and not cookie["domain"]
assert settings.SESSION_COOKIE_NAME == "__Host-session"
assert settings.SESSION_COOKIE_SECURE and settings.SESSION_COOKIE_HTTPONLY and settings.SESSION_COOKIE_DOMAIN is None
print("as it should be")
"""


def deployed(**environ: str) -> subprocess.CompletedProcess[str]:
    given = {**os.environ, "DJANGO_SETTINGS_MODULE": "pellucid.site.settings", **environ}
    return subprocess.run(
        [sys.executable, "-c", DEPLOYED],
        env=given,
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_behind_https_nothing_is_left_to_warn_about() -> None:
    done = deployed(PELLUCID_HTTPS="1")
    assert "as it should be" in done.stdout, done.stderr


def test_without_https_the_same_check_warns() -> None:
    assert "security.W004" in deployed(PELLUCID_HTTPS="0").stderr


def test_the_secret_key_is_made_once_and_is_the_owners(tmp_path: Path) -> None:
    code = "from pellucid.site import settings; print(settings.SECRET_KEY)"
    run = [sys.executable, "-c", code]
    keys = [
        subprocess.check_output(run, env={**os.environ, "PELLUCID_HOME": str(tmp_path)}, text=True) for _ in range(2)
    ]
    assert keys[0] == keys[1]
    assert len(keys[0].strip()) >= 50
    assert (tmp_path / "secret_key").stat().st_mode & 0o777 == 0o600
    assert [path.name for path in tmp_path.iterdir()] == ["secret_key"]


def test_passwords_are_hashed_by_argon2_in_little_memory() -> None:
    done = subprocess.check_output(
        [sys.executable, "-c", HASHED],
        env={**os.environ, "DJANGO_SETTINGS_MODULE": "pellucid.site.settings"},
        text=True,
    )
    assert done.startswith("argon2$argon2id$v=19$m=19456,t=3,p=1$")
