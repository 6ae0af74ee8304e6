"""Mail: what arrives, what a failing server costs, and what never leaves."""

from __future__ import annotations

import re
from email.utils import parsedate_to_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.outbox.conftest import NODE_URL, Mailbox, change
from tests.outbox.posting import invitation, job_ended, make_due, sample, wishes
from tests.world import World, now

from pellucid.outbox.mail import Letter, composed
from pellucid.outbox.notice import NoticeKind
from pellucid.outbox.portal import door
from pellucid.outbox.portal.door import post, post_to_address, withdraw
from pellucid.outbox.portal.models import Delivery
from pellucid.outbox.portal.texts import LANGUAGES
from pellucid.outbox.portal.worker import Worker, healthz
from pellucid.record.settings import Mail


def states() -> list[str]:
    return list(Delivery.objects.order_by("made_at", "pk").values_list("state", flat=True))


def test_a_notice_arrives_as_plain_mail_that_says_who_speaks_why_and_where_to_change_that(
    world: World, outbox: Worker, mailbox: Mailbox
) -> None:
    post(job_ended(), [world.account("rita").id])
    outbox.turn()
    [mail] = mailbox.mails
    assert mailbox.recipients == ["rita@people.example"]
    assert mail["To"] == "rita@people.example"
    assert mail["From"] == '"log.vendor.example/1" <node@vendor.example>'
    assert mail["Subject"] == "[log.vendor.example/1] Job check logs: done"
    assert mail["Auto-Submitted"] == "auto-generated"
    assert re.fullmatch(r"<[0-9a-f-]{36}@vendor\.example>", mail["Message-ID"])
    assert abs((parsedate_to_datetime(mail["Date"]) - now()).total_seconds()) < 60
    assert mail["List-Unsubscribe"] is None
    assert (mail.get_content_type(), mail.get_content_charset()) == ("text/plain", "utf-8")
    text = mail.get_content()
    assert f"{NODE_URL}/jobs/check-logs:1" in text
    assert "log.vendor.example/1 tells you this. It is run by Example Vendor." in text
    assert "You get this because you asked for the job" in text
    assert f"Change what you are told: {NODE_URL}/account/notices" in text


def test_every_kind_of_notice_is_said_in_every_language(world: World, outbox: Worker, mailbox: Mailbox) -> None:
    rita = world.account("rita")
    for language, _name in (*LANGUAGES, ("tlh", "a language that is not there")):
        wishes(rita, language=language)
        for kind in NoticeKind:
            post(sample(kind, f"{language}:{kind.value}"), [rita.id])
            outbox.turn()
    assert len(mailbox.texts()) == (len(LANGUAGES) + 1) * len(NoticeKind)
    for text in mailbox.texts():
        assert "%(" not in text
        assert f"{NODE_URL}/account" in text


def test_what_is_posted_twice_is_told_once_and_each_is_told_apart(
    world: World, outbox: Worker, mailbox: Mailbox
) -> None:
    rita, otto = world.account("rita"), world.account("otto")
    for _again in range(2):
        post(job_ended(), [rita.id, otto.id, "0" * 32])
        outbox.turn()
    assert sorted(mailbox.recipients) == ["otto@people.example", "rita@people.example"]
    assert all(len(mail.get_all("To", [])) == 1 for mail in mailbox.mails)


def test_what_waits_together_goes_in_one_mail(world: World, outbox: Worker, mailbox: Mailbox) -> None:
    rita = world.account("rita")
    for number in range(3):
        post(job_ended(f"job:{number}"), [rita.id])
    outbox.turn()
    [mail] = mailbox.mails
    assert mail["Subject"] == "[log.vendor.example/1] 3 notices"
    assert mail.get_content().count("The job check logs has ended") == 3
    post(job_ended("job:later"), [rita.id])
    outbox.turn()
    assert len(mailbox.mails) == 2


def test_a_long_wait_ends_in_several_mails_and_not_in_an_endless_one(
    world: World, outbox: Worker, mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(door, "MOST_IN_ONE", 3)
    for number in range(7):
        post(job_ended(f"job:{number}"), [world.account("rita").id])
    outbox.turn()
    assert sorted(text.count("has ended") for text in mailbox.texts()) == [1, 3, 3]


def test_a_server_that_asks_for_patience_gets_the_same_mail_again(
    world: World, outbox: Worker, mailbox: Mailbox
) -> None:
    mailbox.answers = ["451 later", "421 later"]
    post(job_ended(), [world.account("rita").id])
    for _each in range(3):
        assert outbox.turn() == 1
        assert outbox.turn() == 0  # not before its time
        make_due()
    assert len({mail["Message-ID"] for mail in mailbox.mails}) == 1
    assert len(set(mailbox.raw)) == 1
    assert states() == ["delivered"]


def test_a_message_that_comes_between_two_attempts_goes_into_the_next_mail(
    world: World, outbox: Worker, mailbox: Mailbox
) -> None:
    mailbox.answers = ["451 later"]
    post(job_ended("job:1"), [world.account("rita").id])
    outbox.turn()
    post(job_ended("job:2"), [world.account("rita").id])
    make_due()
    outbox.turn()
    assert mailbox.raw[0] in mailbox.raw[1:]
    assert len({mail["Message-ID"] for mail in mailbox.mails}) == 2


def test_what_is_refused_for_good_is_given_up_shown_and_may_be_tried_again(
    world: World, outbox: Worker, mailbox: Mailbox
) -> None:
    mailbox.answers = ["550 no such box rita@people.example"]
    post(job_ended(), [world.account("rita").id])
    outbox.turn()
    assert states() == ["failed"]
    browser = world.operator_session("otto")
    page = browser.get("/outbox")
    assert b"was refused" in page.content
    assert b"rita" not in page.content
    assert b"no such box" not in page.content
    [line] = browser.get("/outbox.json").json()["failed"]
    assert browser.post(f"/outbox/{line['id']}/again").status_code == 302
    outbox.turn()
    assert states() == ["delivered"]


def test_a_mail_that_is_never_taken_is_given_up_in_the_end(world: World, outbox: Worker, mailbox: Mailbox) -> None:
    mailbox.answers = ["451 later"] * 100
    post(job_ended(), [world.account("rita").id])
    for _each in range(40):
        outbox.turn()
        make_due()
    assert states() == ["failed"]
    assert len(mailbox.raw) == 16


def test_a_server_that_is_away_loses_nothing(world: World, outbox: Worker, mailbox: Mailbox) -> None:
    there = world.home.settings.mail
    assert there is not None
    change(world, mail=Mail(host="127.0.0.1", port=1, sender=there.sender, security="none"))
    post(job_ended("job:1"), [world.account("rita").id])
    post(job_ended("job:2"), [world.account("otto").id])
    assert outbox.turn() == 1  # the second is not tried at a server that was just found away
    assert outbox.health.mail == "unreachable"
    change(world, mail=there)
    make_due()
    outbox.turn()
    assert sorted(mailbox.recipients) == ["otto@people.example", "rita@people.example"]


def test_without_a_mail_server_mail_waits_and_that_is_said(world: World, outbox: Worker, mailbox: Mailbox) -> None:
    there = world.home.settings.mail
    change(world, mail=None)
    post(job_ended(), [world.account("rita").id])
    assert outbox.turn() == 0
    problem, standing = healthz()
    assert problem is None
    assert (standing["mail"], standing["waiting"], standing["failed"]) == ("no-mail-server-set", 1, 0)
    assert b"No mail server is set" in world.operator_session("otto").get("/outbox").content
    change(world, mail=there)
    outbox.turn()
    assert len(mailbox.mails) == 1
    assert b"No mail server is set" not in world.operator_session("otto").get("/outbox").content


def test_who_is_invited_is_told_and_the_address_is_erased_with_that(
    world: World, outbox: Worker, mailbox: Mailbox
) -> None:
    post_to_address(invitation(), "rosa@elsewhere.example")
    assert Delivery.objects.get().address == "rosa@elsewhere.example"
    outbox.turn()
    assert Delivery.objects.get().address == ""
    [mail] = mailbox.mails
    assert mail["To"] == "rosa@elsewhere.example"
    assert f"{NODE_URL}/invitations/0123456789abcdef" in mail.get_content()
    assert "your address is erased here" in mail.get_content()
    assert "/account/notices" not in mail.get_content()


@pytest.mark.parametrize("how", ["withdrawn", "over", "given up"])
def test_the_address_of_an_invitation_that_ends_is_erased_and_nothing_is_sent(
    world: World, outbox: Worker, mailbox: Mailbox, how: str
) -> None:
    mailbox.answers = ["550 nobody"] if how == "given up" else []
    post_to_address(invitation(), "rosa@elsewhere.example", until=now() if how == "over" else None)
    if how == "withdrawn":
        withdraw("invitation:1")
    outbox.turn()
    delivery = Delivery.objects.get()
    assert delivery.address == ""
    assert len(mailbox.raw) == (how == "given up")
    post_to_address(invitation(), "rosa@elsewhere.example")
    outbox.turn()
    assert len(mailbox.raw) == (how == "given up")


def test_who_was_erased_is_told_nothing(world: World, outbox: Worker, mailbox: Mailbox) -> None:
    rita = world.account("rita")
    post(job_ended("job:1"), [rita.id])
    rita.is_active = False
    rita.save()
    post(job_ended("job:2"), [rita.id])
    outbox.turn()
    assert mailbox.raw == []
    assert set(states()) == {"ended"}


BREAKS = st.sampled_from(["\r\n", "\n", "\r", "\x00", "\u2028", "\x85"])


@given(text=st.text(max_size=20), broken=BREAKS, more=st.text(max_size=20))
def test_no_subject_or_address_adds_a_header(text: str, broken: str, more: str) -> None:
    settings = Mail(host="127.0.0.1", sender="node@vendor.example")
    injected = f"{text}{broken}Bcc: mallory@people.example{more}"
    for to, subject in (("rita@people.example", injected), (f"{injected}@people.example", "one line")):
        try:
            message = composed(Letter("id", to, subject, "text", now()), settings, injected)
        except ValueError:
            continue
        head = bytes(message).partition(b"\r\n\r\n")[0]
        names = [line.partition(b":")[0] for line in re.split(rb"\r\n(?![ \t])", head)]
        assert b"Bcc" not in names
        assert len(names) == 9
