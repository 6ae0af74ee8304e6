"""No secret and nothing private gets into any channel, whoever tries to put it there."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.outbox.conftest import NODE_URL, Mailbox, Receiver, change
from tests.outbox.posting import invitation, sample
from tests.world import PASSPHRASE, PASSWORD, TOTP_SECRET, World, now

from pellucid.outbox.notice import Notice, NoticeError, NoticeKind, spoken
from pellucid.outbox.portal.door import post, post_to_address
from pellucid.outbox.portal.models import Delivery, Message, Webhook
from pellucid.outbox.portal.worker import Worker
from pellucid.people.portal import invitations
from pellucid.people.roles import Role

CODE = "12345 67890 12345 67890 12345 67890 12345 67890"
PRIVATE = (
    "Rita Example",
    "rita@people.example",
    "the reason of an operator session",
    CODE,
    CODE.replace(" ", "-"),
    CODE.replace(" ", ""),
    "-----BEGIN PRIVATE KEY-----",
    PASSWORD,
    "two\nlines",
    "",
)


@pytest.mark.parametrize("text", PRIVATE)
@pytest.mark.parametrize("kind", NoticeKind, ids=lambda kind: kind.value)
def test_no_word_of_any_notice_takes_private_text(kind: NoticeKind, text: str) -> None:
    good = sample(kind)
    for name in good.words:
        with pytest.raises(NoticeError) as refused:
            Notice(kind, "key", "/account", {**good.words, name: text})
        assert not text or text not in str(refused.value)


@pytest.mark.parametrize("kind", NoticeKind, ids=lambda kind: kind.value)
def test_no_notice_takes_a_word_that_its_kind_does_not_have(kind: NoticeKind) -> None:
    for name in ("code", "reason", "name", "text", "what "):
        with pytest.raises(NoticeError):
            Notice(kind, "key", "/account", {**sample(kind).words, name: "term"})


@pytest.mark.parametrize(
    "path",
    [
        "/join/1?code=2",
        "/join/1#code",
        "//evil.example/",
        "https://evil.example/",
        "",
        "join",
        "/a b",
        "/%0d%0a",
        "/a\n",
    ],
)
def test_no_notice_leads_elsewhere_or_carries_a_query(path: str) -> None:
    with pytest.raises(NoticeError):
        Notice(NoticeKind.ALARM, "key", path, {"alarm": "stale"})


@given(st.text(max_size=60))
def test_any_name_of_a_node_can_be_said_and_none_passes_for_a_mail_address(name: str) -> None:
    said = spoken(name)
    notice = Notice(NoticeKind.ALARM, "key", "/", {"alarm": "stale", "log": said})
    assert "@" not in str(notice.words["log"])
    assert len(said.split()) == 1


def test_what_is_planted_everywhere_comes_out_nowhere(
    world: World, outbox: Worker, mailbox: Mailbox, receiver: Receiver, tmp_path: Path
) -> None:
    change(world, webhook_networks=["127.0.0.0/8"])
    rita, otto = world.account("rita"), world.account("otto")
    Webhook.objects.create(account=rita, url=receiver.url, made_at=now())
    for kind in NoticeKind:
        post(sample(kind), [rita.id])
    invited = invitations.invite("rosa@elsewhere.example", [Role.RESEARCHER], by=otto)
    outbox.turn()
    feed = world.client("rita").post("/account/notices/feed")
    address = feed.content.decode().partition(f"{NODE_URL}/feed/")[2].partition("<")[0]
    outputs = [
        *(mail.get_content() + str(mail["Subject"]) for mail in mailbox.mails),
        *(body.decode() for body in receiver.bodies),
        world.client(None).get("/feed.atom").content.decode(),
        world.client(None).get(f"/feed/{address}").content.decode(),
        world.operator_session("otto").get("/outbox").content.decode().partition("<main")[2].partition("</main>")[0],
        world.operator_session("otto").get("/outbox.json").content.decode(),
    ]
    assert len(mailbox.mails) == 2
    assert len(receiver.bodies) == len(NoticeKind)
    secrets = [
        "Rita", "rita@people", "rosa@elsewhere", invited.code, invited.code.replace(" ", ""), otto.id, rita.id,
        PASSWORD, TOTP_SECRET, PASSPHRASE.decode(),
    ]  # fmt: skip
    for output in outputs:
        assert [secret for secret in secrets if secret in output] == []
    invitations_told = [text for text in mailbox.texts() if "/join/" in text]
    assert len(invitations_told) == 1


def test_the_mail_of_an_invitation_says_that_the_code_comes_another_way(
    world: World, outbox: Worker, mailbox: Mailbox
) -> None:
    post_to_address(invitation(), "rosa@elsewhere.example")
    outbox.turn()
    [text] = mailbox.texts()
    assert "it is in no mail" in text


def test_what_is_no_mail_address_is_refused_without_being_repeated(world: World, outbox: Worker) -> None:
    for address in ("", "rosa", "rosa@", "a@b\r\nBcc: c@d.example", "rosa@x.example, asif@x.example"):
        with pytest.raises(NoticeError) as refused:
            post_to_address(invitation(), address)
        assert not address or address not in str(refused.value)
    assert not Delivery.objects.exists()
    assert not Message.objects.exists()
