"""Holes that somebody who means it ill once found here, each closed: what they tried must fail."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value, yield_hotp_counters_from_time
from django.db import connection, transaction
from django.http import HttpResponse
from django.test import Client, RequestFactory
from django.utils import timezone
from tests.world import PASSWORD, TOTP_SECRET, World

from pellucid.audit.events import EventType
from pellucid.outbox import webhook
from pellucid.outbox.addresses import allowed
from pellucid.outbox.attempt import DELIVERED, Attempt
from pellucid.outbox.notice import Notice, NoticeKind
from pellucid.outbox.portal import door as outbox
from pellucid.outbox.portal import feeds, sending
from pellucid.outbox.portal.models import Webhook
from pellucid.people.portal import access, erasure, forms, invitations, spool
from pellucid.people.portal.models import Account, WaitingEvent
from pellucid.people.refusals import RefusalBudget
from pellucid.record.settings import OpenId
from pellucid.site import kept
from pellucid.site.accounts import recorded


def _everything_kept() -> str:
    """Return all that the site's database holds, as text."""
    connection.ensure_connection()
    return "\n".join(connection.connection.iterdump())


def test_an_erased_person_is_erased_from_mail_that_waits_for_an_old_address(world: World) -> None:
    rita, otto = world.account("rita"), world.account("otto")
    recorded.address_changed(rita.id, "rita-before@people.example")
    assert "rita-before@people.example" in _everything_kept()

    erasure.erase(rita, by=otto)

    assert "rita-before@people.example" not in _everything_kept()
    assert "rita@people.example" not in _everything_kept()


def test_a_name_that_is_sent_while_its_owner_is_erased_does_not_come_back(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    browser, otto = world.client("rita"), world.account("otto")
    checked = forms.NameForm.is_valid

    def meanwhile(form: forms.NameForm) -> bool:
        erasure.erase(world.account("rita"), by=otto)
        return checked(form)

    rita = world.account("rita")
    monkeypatch.setattr(forms.NameForm, "is_valid", meanwhile)
    browser.post("/account", {"name": "Rita Reviewer"})

    assert Account.objects.get(id=rita.id).name == ""


@pytest.mark.parametrize(
    "address",
    [
        "fec0::1",
        "64:ff9b:1::7f00:1",
        "::7f00:1",
        "::ffff:127.0.0.1",
        "2002:7f00:1::1",
        "fe80::1",
        "fc00::1",
        "ff02::1",
        "2001:db8::1",
        "3fff::1",
        "5f00::1",
        "100::1",
    ],
)
def test_no_spelling_of_an_address_leads_a_webhook_inside(address: str) -> None:
    assert not allowed(address, (), encrypted=True)


def test_webhooks_still_reach_what_everybody_reaches() -> None:
    assert allowed("2606:4700::1111", (), encrypted=True)
    assert allowed("1.1.1.1", (), encrypted=True)


READ_ON_RECORD = ("/account/record", "/account/record/proof", "/api/me/record", "/api/me/record/proof", "/signing")


def test_reading_ones_own_record_over_and_over_does_not_fill_a_log_that_never_shrinks(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(access, "_reads", RefusalBudget(most=5))
    browser = world.client("rita")
    world.node.auditing.publish()

    answers = [browser.get(path).status_code for path in (*READ_ON_RECORD, *READ_ON_RECORD)]

    assert answers == [200] * 5 + [429] * 5
    assert len(world.events(EventType.ACCESS_GRANTED)) == 5


def test_an_event_that_cannot_be_taken_in_keeps_no_other_out(world: World) -> None:
    WaitingEvent.objects.create(event='{"type":"no such","at":1}')
    WaitingEvent.objects.create(event='{"type":"account.erased","at":1}')
    spool.take_in(world.node.trail)
    assert world.events(EventType.ACCOUNT_ERASED)


def _grown_old(browser: Client) -> None:
    """Let the sign-in of a browser be hours ago."""
    session = browser.session
    records = session["account_authentication_methods"]
    session["account_authentication_methods"] = [{**record, "at": record["at"] - 7200} for record in records]
    session.save()


def test_a_stolen_cookie_of_an_operator_opens_no_operator_session(world: World) -> None:
    browser = world.client("otto")
    _grown_old(browser)

    answer = browser.post("/operator/session", {"reason": "I only have the cookie", "minutes": "60"})

    assert answer.headers["Location"].startswith("/account/2fa/reauthenticate/")
    assert browser.get("/people").status_code == 302
    assert not world.events(EventType.SESSION_OPENED)


def test_an_operator_who_confirms_goes_on_where_they_were(world: World) -> None:
    browser = world.client("otto")
    _grown_old(browser)
    asked = {"reason": "a request by mail of today", "minutes": "60", "next": "/people"}

    way = browser.post("/operator/session", asked).headers["Location"]
    code = format_hotp_value(hotp_value(TOTP_SECRET, next(yield_hotp_counters_from_time())))
    answer = browser.post(way, {"code": code})

    assert answer.headers["Location"] == "/people"
    assert browser.get("/people").status_code == 200


def test_who_comes_back_by_an_invitation_is_heard_by_nobody_else(world: World) -> None:
    rita = world.account("rita")
    token = feeds.renewed(rita)
    Webhook.objects.create(account=rita, url="https://thief.example/", made_at=timezone.now())
    made = invitations.invite_again(rita, by=world.account("otto"))

    invitations.accept(made.invitation, made.code, "Rita", PASSWORD)

    assert world.client(None).get(f"/feed/{token}.atom").status_code == 404
    assert not Webhook.objects.exists()


def test_a_visitor_cannot_fill_the_audit_log_by_coming_back_from_nowhere(
    world: World, settings: Any, tmp_path: Path
) -> None:
    secret = tmp_path / "secret"
    secret.write_text("a secret of the tests")
    settings.OPENID = (OpenId("lab", "Lab", "https://sign-in.lab.example", "pellucid", str(secret)),)
    visitor = Client(SERVER_NAME="localhost", REMOTE_ADDR="203.0.113.7")

    answers = [visitor.get("/account/oidc/lab/login/callback/?error=x").status_code for _ in range(60)]

    assert answers[0] == 401
    assert answers[-1] == 429
    assert len(world.events(EventType.ACCOUNT_SIGN_IN_REFUSED)) < 40


@pytest.mark.parametrize("name", ["\x1b]0;gone\x07", "Rita\n00ff  here  otto@people.example", "Rita\u202eatiR"])
def test_a_name_steers_no_terminal_and_forges_no_line(world: World, name: str) -> None:
    world.client("rita").post("/account", {"name": name})
    assert world.account("rita").name == "Rita Example"


def test_the_audit_log_is_for_its_owner_alone(world: World) -> None:
    world.client("rita").get("/account/record")
    kept = [path for path in world.home.path.rglob("audit*") if path.parent == world.home.path]
    assert kept
    assert all(path.stat().st_mode & 0o077 == 0 for path in kept)


def test_strangers_cannot_fill_the_memory_with_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    pages = kept.KeptPages(lambda _request: HttpResponse(b"x" * kept.MOST_BYTES, content_type="text/html"))
    for number in range(kept.MOST_PAGES):
        pages(RequestFactory(SERVER_NAME="localhost").get(f"/?n={number}"))
    assert sum(len(page.body) for page in pages._pages.values()) == pages._bytes <= kept.MOST_ALTOGETHER
    assert pages._pages

    monkeypatch.setattr(kept, "KEPT_FOR", 0.0)
    pages(RequestFactory(SERVER_NAME="localhost").get("/?last"))
    assert len(pages._pages) == 1


def test_an_erasure_that_left_bytes_behind_does_not_say_that_nothing_was_changed(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    browser, rita = world.operator_session("otto"), world.account("rita")
    monkeypatch.setattr(transaction, "on_commit", lambda clean: clean())
    monkeypatch.setattr(erasure, "clean_files", _left_behind)

    answer = browser.post(f"/people/{rita.id}/erase", {"sure": "on"}, follow=True)

    assert Account.objects.get(id=rita.id).erased_at is not None
    assert answer.status_code == 200
    assert b"erase again" in answer.content


def _left_behind() -> None:
    raise erasure.FilesNotCleanedError("bytes are left", remedy="erase again")


def test_slow_webhooks_of_one_keep_no_other_from_being_told(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    clock, called = [0.0], []

    def slow(url: str, *_more: object) -> Attempt:
        called.append(url)
        clock[0] += 9.9
        return DELIVERED

    monkeypatch.setattr(webhook, "post", slow)
    monkeypatch.setattr(sending, "time", SimpleNamespace(monotonic=lambda: clock[0]))
    for name in ("mallory", "rita"):
        url = f"https://{name}.example/"
        Webhook.objects.create(account=world.account(name), url=url, made_at=timezone.now())
    for number in range(100):
        change = Notice(NoticeKind.ACCOUNT_CHANGED, f"m-{number}", "/account", {"change": "feed-renewed"})
        outbox.post(change, [world.account("mallory").id])
    outbox.post(
        Notice(NoticeKind.ACCOUNT_CHANGED, "r", "/account", {"change": "role-ended"}), [world.account("rita").id]
    )

    sending.Sender(world.node).round()

    assert "https://rita.example/" in called
    assert clock[0] < 30


def test_behind_a_proxy_that_nobody_told_of_strangers_are_not_taken_for_this_machine(
    world: World, settings: Any
) -> None:
    settings.WRITES_BY_ADDRESS = 3
    stranger = Client(SERVER_NAME="localhost", REMOTE_ADDR="127.0.0.1")
    headers = {"X-Forwarded-For": "203.0.113.7"}
    answers = [stranger.post("/language", {"language": "de"}, headers=headers).status_code for _ in range(5)]
    assert answers == [302] * 3 + [429] * 2


def test_whose_reasons_were_read_finds_that_in_their_record(world: World) -> None:
    world.operator_session("olga")
    world.operator_session("otto").get("/operator/sessions")
    assert world.account("olga").id in world.events(EventType.SESSION_REQUEST)[-1].about
