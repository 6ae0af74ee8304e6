"""An account elsewhere stands in for the password once its owner has connected it; nothing else it says counts."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jwt
import pytest
from allauth.socialaccount.models import SocialAccount
from cryptography.hazmat.primitives.asymmetric import ec
from django.test import Client
from pytest_django import Settings
from tests.signin.provider import CLIENT, SECRET, Provider, running
from tests.signin.visits import LOGIN, SECOND, give_code, is_in, totp_code
from tests.world import PASSPHRASE, World

from pellucid.audit.events import EventType
from pellucid.errors import InputError
from pellucid.people.portal.models import Account
from pellucid.record.settings import OpenId
from pellucid.site.accounts.openid import check_providers, is_private_way

GO = "/account/oidc/elsewhere/login/"
BACK = "/account/oidc/elsewhere/login/callback/"


@pytest.fixture
def elsewhere(world: World, settings: Settings, tmp_path: Path) -> Iterator[Provider]:
    with running() as provider:
        (tmp_path / "secret").write_text(f"{SECRET}\n")
        settings.OPENID = (OpenId("elsewhere", "Elsewhere", provider.issuer, CLIENT, str(tmp_path / "secret")),)
        yield provider


@pytest.fixture
def connected(world: World, elsewhere: Provider) -> Provider:
    """A provider that Rita has connected to her account."""
    rita = world.client("rita")
    assert go(rita, elsewhere, process="connect").headers["Location"] == "/account/2fa/"
    return elsewhere


def browser() -> Client:
    return Client(SERVER_NAME="localhost")


def away(visitor: Client, **form: str) -> str:
    """Press the button, and return where it leads."""
    page = visitor.post(GO, form)
    address = str(page.context["redirect_to"])
    assert page.headers["Refresh"] == f"0; url={address}"
    return address


def go(visitor: Client, provider: Provider, **form: str) -> Any:
    """Go there, say yes there, and come back."""
    return visitor.get(BACK, provider.approve(away(visitor, **form)))


def test_it_stands_in_for_the_password_and_not_for_the_second_factor(world: World, connected: Provider) -> None:
    visitor = browser()
    assert go(visitor, connected).headers["Location"] == SECOND
    assert not is_in(visitor)
    give_code(visitor, totp_code())
    assert is_in(visitor)
    event = world.events(EventType.ACCOUNT_SIGNED_IN)[-1]
    assert (event.actor, event.details) == (world.account("rita").id, {"by": "openid", "factor": "totp"})
    assert not connected.refused
    assert [added.details for added in world.events(EventType.ACCOUNT_FACTOR_ADDED)] == [{"kind": "openid"}]


def test_it_leads_on_to_where_one_was_going(world: World, connected: Provider) -> None:
    visitor = browser()
    go(visitor, connected, next="/account/sessions/")
    assert give_code(visitor, totp_code()).headers["Location"] == "/account/sessions/"


def test_what_is_asked_for_is_an_identity_with_proof_nonce_and_state(elsewhere: Provider) -> None:
    elsewhere.approve(away(browser()))
    elsewhere.approve(away(browser(), scope="admin", auth_params="prompt=none"))
    first, second = elsewhere.asked
    assert first["scope"] == second["scope"] == "openid"
    assert (first["response_type"], first["code_challenge_method"]) == ("code", "S256")
    assert all(first[name] != second[name] for name in ("nonce", "state", "code_challenge"))
    assert "prompt" not in second


def test_nothing_of_the_person_is_kept_but_the_number_there(connected: Provider) -> None:
    kept = SocialAccount.objects.get()
    assert (kept.provider, kept.uid, kept.extra_data) == (
        "elsewhere",
        "rita-there",
        {"id_token": {"sub": "rita-there"}},
    )


def test_nobody_gets_an_account_by_it(world: World, elsewhere: Provider) -> None:
    before, visitor = Account.objects.count(), browser()
    answer = go(visitor, elsewhere)
    assert answer.status_code == 403
    assert "No account of this node is connected" in answer.content.decode()
    assert (Account.objects.count(), is_in(visitor)) == (before, False)


def test_an_address_that_it_claims_opens_nobodys_account(world: World, elsewhere: Provider) -> None:
    """The token says the address of Otto, with all assurance."""
    world.account("otto")
    visitor = browser()
    assert go(visitor, elsewhere).status_code == 403
    assert not SocialAccount.objects.exists()


WRONG: dict[str, dict[str, Any]] = {
    "another-issuer": {"iss": "https://issuer.attacker.example"},
    "another-nonce": {"nonce": "seen before"},
    "no-nonce": {"nonce": None},
    "another-client": {"aud": "somebody else"},
    "several-clients": {"aud": [CLIENT, "somebody else"]},
    "meant-for-another": {"azp": "somebody else"},
    "too-old": {"exp": 1_000_000_000},
    "no-end": {"exp": None},
    "from-the-future": {"iat": 4_000_000_000},
    "about-nobody": {"sub": None},
    "about-an-empty-name": {"sub": ""},
    "about-a-number": {"sub": 7},
    "about-too-much": {"sub": "s" * 192},
}


@pytest.mark.parametrize("claims", WRONG.values(), ids=WRONG.keys())
def test_a_token_that_does_not_hold_opens_nothing(world: World, connected: Provider, claims: dict[str, Any]) -> None:
    connected.claims = claims
    visitor = browser()
    answer = go(visitor, connected)
    assert answer.status_code == 401
    assert visitor.get(SECOND).headers["Location"] == LOGIN
    assert world.events(EventType.ACCOUNT_SIGN_IN_REFUSED)[-1].details == {"by": "openid"}


def test_a_token_of_another_key_opens_nothing(connected: Provider) -> None:
    connected.key = ec.generate_private_key(ec.SECP256R1())
    assert go(browser(), connected).status_code == 401


@pytest.mark.parametrize("how", ["unsigned", "by-the-public-key", "garbage", "empty"])
def test_a_token_that_nobody_signed_opens_nothing(connected: Provider, how: str) -> None:
    visitor = browser()
    back = connected.approve(away(visitor))
    claims = jwt.decode(connected._signed(connected.asked[-1]), options={"verify_signature": False})
    connected.token = {
        "unsigned": jwt.encode(claims, "", algorithm="none", headers={"kid": "1"}),
        "by-the-public-key": jwt.encode(claims, str(connected.keys()), algorithm="HS256", headers={"kid": "1"}),
        "garbage": "..",
        "empty": " ",
    }[how]
    assert visitor.get(BACK, back).status_code == 401


@pytest.mark.parametrize(
    "lies",
    [
        {"issuer": "https://issuer.attacker.example"},
        {"token_endpoint": "http://attacker.example/token"},
        {"jwks_uri": "file:///etc/passwd"},
        {"authorization_endpoint": None},
    ],
    ids=["another-issuer", "in-the-open", "no-address", "none"],
)
def test_a_configuration_that_does_not_fit_leads_nowhere(elsewhere: Provider, lies: dict[str, Any]) -> None:
    elsewhere.lies = lies
    assert browser().post(GO).status_code == 401
    assert not elsewhere.asked


def test_answers_without_end_are_not_read(elsewhere: Provider) -> None:
    elsewhere.pad = 300_000
    assert browser().post(GO).status_code == 401


def test_a_provider_that_is_gone_is_an_answer_too(elsewhere: Provider, settings: Settings) -> None:
    gone = settings.OPENID[0]
    settings.OPENID = (OpenId(gone.id, gone.name, "http://127.0.0.1:9", gone.client_id, gone.secret_file),)
    assert browser().post(GO).status_code == 401


@pytest.mark.parametrize("change", ["made-up", "of-another-browser", "used", "none"])
def test_a_return_that_was_not_asked_for_opens_nothing(connected: Provider, change: str) -> None:
    visitor, other = browser(), browser()
    back = connected.approve(away(visitor))
    if change == "used":
        visitor.get(BACK, back)
        assert visitor.get(SECOND).status_code == 200
        visitor.post("/account/logout/")
    visitor = other if change == "of-another-browser" else visitor
    state = {"made-up": {"state": "x" * 16}, "none": {"state": ""}}.get(change, {})
    assert visitor.get(BACK, {**back, **state}).status_code == 401
    assert visitor.get(SECOND).headers["Location"] == LOGIN


def test_who_changes_their_mind_there_starts_again(elsewhere: Provider) -> None:
    visitor = browser()
    back = elsewhere.approve(away(visitor))
    answer = visitor.get(BACK, {"error": "access_denied", "state": back["state"]})
    assert answer.headers["Location"] == LOGIN


def test_a_look_at_the_address_goes_nowhere(elsewhere: Provider) -> None:
    page = browser().get(GO)
    assert page.status_code == 200
    assert "Refresh" not in page.headers


def test_other_providers_are_not_there(elsewhere: Provider) -> None:
    assert browser().post("/account/oidc/nowhere/login/").status_code == 404
    assert browser().get("/account/oidc/nowhere/login/callback/?state=x").status_code == 404


def test_connecting_asks_who_one_is(world: World, elsewhere: Provider) -> None:
    assert go(browser(), elsewhere, process="connect").headers["Location"].startswith("/account/2fa/")
    assert not SocialAccount.objects.exists()


def test_disconnecting_is_recorded_and_ends_it(world: World, connected: Provider) -> None:
    rita, number = world.client("rita"), SocialAccount.objects.get().pk
    assert world.client("mallory").post("/account/3rdparty/", {"account": number}).status_code == 302
    assert SocialAccount.objects.exists()
    assert rita.post("/account/3rdparty/", {"account": number}).status_code == 302
    assert not SocialAccount.objects.exists()
    assert world.events(EventType.ACCOUNT_FACTOR_REMOVED)[-1].details == {"kind": "openid"}
    assert go(browser(), connected).status_code == 403


def test_a_provider_without_its_secret_is_told_before_anybody_tries(
    world: World, elsewhere: Provider, settings: Settings, tmp_path: Path
) -> None:
    check_providers()
    settings.OPENID *= 2
    with pytest.raises(InputError, match="two providers"):
        check_providers()
    (tmp_path / "secret").write_text("\n")
    with pytest.raises(InputError, match="empty"):
        check_providers()
    (tmp_path / "secret").unlink()
    with pytest.raises(InputError, match="cannot be read"):
        check_providers()


@pytest.mark.parametrize(
    ("address", "private"),
    [
        ("https://issuer.example", True),
        ("http://127.0.0.1:8080", True),
        ("http://localhost/x", True),
        ("http://[::1]:1", True),
        ("http://issuer.example", False),
        ("http://127.0.0.1.attacker.example", False),
        ("https://", False),
        ("ftp://127.0.0.1", False),
    ],
)
def test_only_private_ways_are_gone(address: str, private: bool) -> None:
    assert is_private_way(address) is private


@pytest.mark.full
def test_serve_says_what_is_wrong_with_a_provider(made_home: Path, tmp_path: Path) -> None:
    home = Path(shutil.copytree(made_home, tmp_path / "home"))
    provider = 'id = "x"\nname = "X"\nissuer = "https://issuer.example"\nclient_id = "y"\nsecret_file = "gone"\n'
    (home / "node.toml").write_text((home / "node.toml").read_text() + "\n[[openid]]\n" + provider)
    (home / "passphrase").write_bytes(PASSPHRASE)
    (home / "passphrase").chmod(0o600)
    command = [str(Path(sys.executable).with_name("pellucid")), "--home", str(home), "serve", "--listen", "127.0.0.1:0"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 2
    assert "node.toml, openid x: the secret cannot be read" in done.stderr
    assert "write the secret of this client to gone" in done.stderr
