"""The page of rules and limits says what the program does."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from django.conf import settings

from pellucid.jobs import ledger, performing
from pellucid.outbox import addresses, schedule
from pellucid.outbox.portal import pages as notices
from pellucid.people import codes, operator_session, refusals
from pellucid.people.portal import invitations
from pellucid.signing import challenge
from pellucid.signing.portal import enrolment, requests
from pellucid.site import bodies, front, language
from pellucid.site.accounts import forms, passwords
from pellucid.statement.dsse import ENVELOPE_LIMIT
from pellucid.unpack.limits import Limits

TEXT = re.sub(r"\s+", " ", (Path(__file__).parents[2] / "docs/security/limits.md").read_text())
LIMITS = settings.ACCOUNT_RATE_LIMITS
NUMBERS = {2: "two", 4: "four", 6: "six"}


@pytest.mark.parametrize(
    "said",
    [
        f"{front.BODY_LIMIT >> 20} MiB; {NUMBERS[bodies.READERS]} are read at once, ",
        f"at once, {NUMBERS[bodies.READERS_FOR_ONE]} of one address",
        f"{settings.DATA_UPLOAD_MAX_NUMBER_FIELDS:,} fields",
        f"{ENVELOPE_LIMIT:,} bytes",
        f"{challenge.CHALLENGE_LIMIT:,} bytes",
        f"{Limits().members:,} members, {Limits().member_size >> 30} GiB each, {Limits().total >> 30} GiB in all, ",
        f"in all, {Limits().ratio:,} times",
        f"{addresses.URL_LIMIT} visible characters",
        f"| {settings.WRITES_BY_ACCOUNT}; {settings.WRITES_BY_ADDRESS} a minute |",
        f"| {refusals.MOST_RECORDED} an hour, then 429 |",
        f"| {codes.MOST_TRIES} | one invitation, which lives {invitations.DAYS} days |",
        f"| {enrolment.MOST_KEYS}; {enrolment._MOST_OPEN}; {requests.MOST_WAITING} |",
        f"| {forms._PASSKEYS}; {notices.MOST_WEBHOOKS}; 1 |",
        f"{operator_session.LONGEST_MINUTES // 60} hours, {operator_session.DEFAULT_MINUTES // 60} if nothing is said",
        f"| {schedule.MOST_ATTEMPTS}, ever further apart, at most {schedule.LONGEST_PAUSE.seconds // 3600} hours |",
        f"| {performing.MOST_ATTEMPTS}; its log {ledger.MAX_LINES:,} lines |",
        f"12 to {passwords.LONGEST} characters",
        f"ends {settings.SESSION_IDLE // 60} minutes after its last use, {settings.SESSION_COOKIE_AGE // 3600} hours",
        f"more than {settings.ACCOUNT_REAUTHENTICATION_TIMEOUT // 60} minutes",
    ],
)
def test_each_number_is_the_programs(said: str) -> None:
    assert said in TEXT


def test_the_paces_of_sign_in_are_as_told() -> None:
    assert LIMITS["login_failed"] == "10/m/ip,5/5m/key"
    assert "5 in 5 minutes; 10 in a minute | one account; one address" in TEXT
    assert (LIMITS["login"], LIMITS["reauthenticate"]) == ("30/m/ip", "10/m/user")
    assert "| the first page of sign-in | 30 a minute | one address |" in TEXT
    assert (LIMITS["change_password"], LIMITS["manage_email"]) == ("5/m/user", "5/h/user")
    assert "| 5 a minute; 5 an hour | one account |" in TEXT


def test_the_words_that_no_password_may_be_made_of_are_named() -> None:
    assert all(f'"{word}"' in TEXT for word in passwords._OUR_WORDS)


@pytest.mark.parametrize("address", ["//x", "https://x", "/\\x", "/x\ny", "x", "/" + "a" * 2000])
def test_next_is_a_path_here_or_the_first_page(address: str) -> None:
    assert language.safe_path(address) == "/"


def test_it_is_written_how_soon_a_weak_dependency_is_replaced() -> None:
    text = (Path(__file__).parents[2] / "SECURITY.md").read_text()
    rows = dict(re.findall(r"^\| (critical|high|medium|low) \| .*?(\d+) days", text, re.MULTILINE))
    days = [int(rows[severity]) for severity in ("critical", "high", "medium", "low")]
    assert days == sorted(days)
    assert days[-1] <= 90
