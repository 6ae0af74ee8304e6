"""Webhooks: signed, called only where they may lead, and never believed for what they answer."""

from __future__ import annotations

import json
import re
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.outbox.certificates import make_certificate
from tests.outbox.conftest import NODE_URL, Mailbox, Receiver, change
from tests.outbox.posting import job_ended, make_due
from tests.world import PASSPHRASE, World, now

from pellucid.outbox import addresses, webhook
from pellucid.outbox.channel import Problem
from pellucid.outbox.portal.door import post
from pellucid.outbox.portal.models import Delivery, Webhook
from pellucid.outbox.portal.worker import Worker
from pellucid.record.card import read_card
from pellucid.statement.dsse import Envelope
from pellucid.statement.keys import Role

LOOPBACK = ("127.0.0.0/8", "::1/128")
GUIDE = "docs/howto/be-told.md"


@pytest.fixture
def hook(world: World, outbox: Worker, receiver: Receiver) -> Webhook:
    """A webhook of rita's, on a network that the operator allows."""
    change(world, webhook_networks=LOOPBACK)
    return Webhook.objects.create(account=world.account("rita"), url=receiver.url, made_at=now())


def calls() -> list[Delivery]:
    return list(Delivery.objects.filter(channel="webhook"))


def example(root: Path) -> dict[str, Any]:
    """Return what the guide's example for receivers defines."""
    code = re.findall(r"```python\n(.*?)```", (root / GUIDE).read_text(), re.DOTALL)[0]
    defined: dict[str, Any] = {}
    exec(compile(code, GUIDE, "exec"), defined)  # noqa: S102 - our own guide
    return defined


def test_a_receiver_that_does_as_the_guide_says_believes_the_node_and_nobody_else(
    world: World, outbox: Worker, hook: Webhook, receiver: Receiver
) -> None:
    post(job_ended(), [world.account("rita").id])
    outbox.turn()
    assert receiver.paths == ["/hook?for=me"]
    [body] = receiver.bodies
    read = example(Path(__file__).parents[2])["read_notice"]
    card = json.loads(world.home.card(PASSPHRASE).to_bytes())
    notice = read(body, card, hook.id)
    assert notice["kind"] == "job-ended"
    assert notice["words"] == {"job": "check-logs", "state": "done"}
    assert notice["page"] == f"{NODE_URL}/jobs/check-logs:1"
    assert notice["node"] == "log.vendor.example/1"
    with pytest.raises(ValueError, match="another webhook"):
        read(body, card, "0" * 32)
    forged = json.loads(body)
    forged["payload"] = forged["payload"][:-4] + "AAAA"
    with pytest.raises(Exception, match=r"^$"):  # the library's InvalidSignature says nothing
        read(json.dumps(forged).encode(), card, hook.id)


def test_the_signature_is_the_node_keys_and_passes_for_no_statement(
    world: World, outbox: Worker, hook: Webhook, receiver: Receiver
) -> None:
    post(job_ended(), [world.account("rita").id])
    outbox.turn()
    envelope = Envelope.parse(receiver.bodies[0])
    keys = read_card(world.home.card(PASSPHRASE).to_bytes()).keys
    assert envelope.verified_by(keys[Role.NODE])
    assert not envelope.verified_by(keys[Role.PARTY])
    assert envelope.payload_type == webhook.PAYLOAD_TYPE
    assert world.node.submit(receiver.bodies[0]).payload.find(b'"refused"') > 0


def test_a_call_that_fails_is_made_again_with_the_same_bytes(
    world: World, outbox: Worker, hook: Webhook, receiver: Receiver
) -> None:
    receiver.answers = [(503, {}), (404, {})]
    post(job_ended(), [world.account("rita").id])
    for _each in range(3):
        outbox.turn()
        make_due()
    assert [call.state for call in calls()] == ["delivered"]
    assert len(set(receiver.bodies)) == 1
    assert len(receiver.bodies) == 3
    assert Webhook.objects.get().failures == 0


def test_a_redirect_is_not_followed(world: World, outbox: Worker, hook: Webhook, receiver: Receiver) -> None:
    receiver.answers = [(307, {"Location": receiver.url})]
    post(job_ended(), [world.account("rita").id])
    outbox.turn()
    assert len(receiver.bodies) == 1
    assert [(call.state, call.problem) for call in calls()] == [("failed", "redirected")]
    assert Webhook.objects.get().stopped_at is not None


def test_a_webhook_that_keeps_failing_is_called_no_more_until_its_owner_says_so(
    world: World, outbox: Worker, hook: Webhook, receiver: Receiver
) -> None:
    receiver.answers = [(500, {})] * 30
    for number in range(3):
        post(job_ended(f"job:{number}"), [world.account("rita").id])
    for _each in range(10):
        outbox.turn()
        make_due()
    assert len(receiver.bodies) == 20
    rita = world.client("rita")
    assert b"stopped, because calls failed" in rita.get("/account/notices").content
    assert rita.post(f"/account/notices/webhooks/{hook.id}/resume").status_code == 302
    receiver.answers = []
    post(job_ended("job:after"), [world.account("rita").id])
    outbox.turn()
    assert len(receiver.bodies) == 21


def test_only_the_kinds_that_were_asked_for_come(
    world: World, outbox: Worker, hook: Webhook, receiver: Receiver
) -> None:
    hook.kinds = ["alarm"]
    hook.save()
    post(job_ended(), [world.account("rita").id])
    outbox.turn()
    assert receiver.bodies == []


def test_a_node_without_mail_still_calls_webhooks(
    world: World, outbox: Worker, mailbox: Mailbox, hook: Webhook, receiver: Receiver
) -> None:
    change(world, mail=None)
    post(job_ended(), [world.account("rita").id])
    outbox.turn()
    assert len(receiver.bodies) == 1
    assert mailbox.raw == []


def test_an_address_inside_is_not_called_unless_the_operator_says_so(
    world: World, outbox: Worker, hook: Webhook, receiver: Receiver
) -> None:
    change(world, webhook_networks=())
    post(job_ended(), [world.account("rita").id])
    outbox.turn()
    assert receiver.bodies == []
    assert [(call.state, call.problem) for call in calls()] == [("failed", "address-not-allowed")]


def test_a_name_with_one_address_inside_is_not_called(monkeypatch: pytest.MonkeyPatch) -> None:
    found = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (ip, 443)) for ip in ("8.8.8.8", "10.0.0.1")]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_args, **_more: found)
    target = addresses.read_target("https://both.example/hook")
    assert addresses.resolved(target, ()) is None
    assert addresses.resolved(target, ["10.0.0.0/8"]) == "8.8.8.8"


@pytest.mark.parametrize(
    "address",
    [
        *("127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "0.0.0.0", "100.64.0.1"),  # noqa: S104
        *("224.0.0.1", "255.255.255.255", "::1", "::", "fe80::1", "fe80::1%1", "fc00::1", "ff02::1"),
        *("::ffff:127.0.0.1", "::ffff:8.8.8.8", "64:ff9b::7f00:1", "2002:7f00:1::", "198.51.100.1", "no address"),
    ],
)
def test_what_is_not_the_public_internet_is_refused(address: str) -> None:
    assert not addresses.allowed(address, (), encrypted=True)


def test_the_public_internet_is_called_encrypted_only() -> None:
    for address in ("8.8.8.8", "2606:4700::1111"):
        assert addresses.allowed(address, (), encrypted=True)
        assert not addresses.allowed(address, (), encrypted=False)
    assert addresses.allowed("::ffff:10.0.0.1", ["10.0.0.0/8"], encrypted=False)


@pytest.mark.parametrize(
    "url",
    [
        *("", "ftp://receiver.example/", "javascript:alert(1)", "//receiver.example/", "https://", "https:///hook"),
        *("https://user:word@receiver.example/", "https://receiver.example/#part", "https://receiver.example:0/"),
        *("https://receiver.example/\r\nHost: other", "https://receiver.example:99999/", "https://récepteur.example/"),
        *("https://[::1/", "https://receiver.example/" + "a" * 500, "file:///etc/passwd", "http:receiver.example"),
    ],
)
def test_what_is_no_plain_address_is_refused(url: str) -> None:
    with pytest.raises(addresses.WebhookAddressError):
        addresses.read_target(url)


@given(st.text(max_size=80) | st.from_regex(r"https?://[ -~]{0,60}", fullmatch=True))
def test_any_text_is_refused_or_gives_a_request_line_that_nothing_breaks_out_of(url: str) -> None:
    try:
        target = addresses.read_target(url)
    except addresses.WebhookAddressError:
        return
    written = f"{target.target} {target.named}"
    assert target.target.startswith("/")
    assert all("!" <= char <= "~" or char == " " for char in written)
    assert written.count(" ") == 1


@pytest.fixture
def dripping() -> Iterator[int]:
    """A server that answers a byte at a time, for ever."""
    server = socket.create_server(("127.0.0.1", 0))
    stop = threading.Event()

    def drip() -> None:
        connection, _ = server.accept()
        with connection:
            while not stop.wait(0.05):
                try:
                    connection.sendall(b"H")
                except OSError:
                    return

    threading.Thread(target=drip, daemon=True).start()
    yield server.getsockname()[1]
    stop.set()
    server.close()


def test_a_receiver_that_answers_for_ever_is_cut_off(world: World, dripping: int) -> None:
    began = time.monotonic()
    envelope = world.node.sign_notice(b"{}")
    attempt = webhook.post(f"http://127.0.0.1:{dripping}/", envelope, LOOPBACK, deadline=0.4)
    assert attempt.problem is Problem.UNREACHABLE
    assert time.monotonic() - began < 3


@pytest.mark.parametrize("believed", [True, False])
def test_an_encrypted_receiver_has_to_show_a_certificate_that_is_vouched_for(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, believed: bool
) -> None:
    certificate, context = make_certificate(tmp_path)
    if believed:
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    server = socket.create_server(("127.0.0.1", 0))
    threading.Thread(target=_answer_once, args=(server, context), daemon=True).start()
    url = f"https://127.0.0.1:{server.getsockname()[1]}/"
    attempt = webhook.post(url, world.node.sign_notice(b"{}"), LOOPBACK, deadline=5)
    assert attempt.problem is (None if believed else Problem.TLS)
    server.close()


def _answer_once(server: socket.socket, context: ssl.SSLContext) -> None:
    try:
        connection, _ = server.accept()
        with context.wrap_socket(connection, server_side=True) as encrypted:
            asked = encrypted.makefile("rb")
            length = next(int(line[15:]) for line in asked if line.lower().startswith(b"content-length:"))
            while asked.readline().strip():
                pass
            asked.read(length)
            encrypted.sendall(b"HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n")
    except OSError:
        pass
