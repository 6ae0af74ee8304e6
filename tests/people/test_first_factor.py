"""From an invitation to an open operator session, on the pages themselves."""

from __future__ import annotations

import re
import time

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value
from tests.world import World

from pellucid.people.portal import invitations
from pellucid.people.portal.models import Account
from pellucid.people.roles import Role

MINE = "seven herons over the weir 4"
JOINED = {"name": "Olaf Operator", "password": MINE, "again": MINE}
REASON = {"reason": "to see who is here at all", "minutes": "15"}


@pytest.mark.django_db(transaction=True)
def test_an_invited_operator_sets_up_a_factor_and_is_at_work(world: World) -> None:
    made = invitations.invite("olaf@vendor.example", [Role.OPERATOR], by=None)
    browser = world.client(None)
    before = browser.session.session_key
    assert browser.post(made.path, {"code": made.code, **JOINED}).status_code == 302
    assert browser.session.session_key != before
    assert browser.get("/operator/session").status_code == 403  # no factor yet
    assert browser.get("/account/2fa/totp/activate/").status_code == 200
    secret = browser.session["mfa.totp.secret"]
    code = format_hotp_value(hotp_value(secret, int(time.time()) // 30))
    assert browser.post("/account/2fa/totp/activate/", {"code": code}).status_code == 302
    olaf = Account.objects.get(email="olaf@vendor.example")
    assert Authenticator.objects.filter(user=olaf, type="totp").exists()
    assert browser.post("/operator/session", REASON).status_code == 302
    assert "Olaf Operator" in browser.get("/people").text


def test_recovery_codes_alone_are_no_second_factor(world: World) -> None:
    otto = world.account("otto")
    browser = world.client("otto")
    Authenticator.objects.filter(user=otto).update(type="recovery_codes")
    assert re.search("second factor", browser.get("/operator/session").text)
    assert browser.get("/operator/session").status_code == 403
