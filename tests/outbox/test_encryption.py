"""Mail and webhooks on an encrypted way, or not at all."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult
from tests.outbox.certificates import make_certificate
from tests.outbox.conftest import Mailbox, change, free_port
from tests.outbox.posting import job_ended, make_due
from tests.world import World

from pellucid.errors import InputError
from pellucid.outbox.portal.door import post
from pellucid.outbox.portal.models import Delivery
from pellucid.outbox.portal.worker import Worker
from pellucid.record.settings import Mail, load_settings

PASSWORD = "password of the mail server"  # noqa: S105 - opens nothing but this test's server


@pytest.fixture
def certificate(tmp_path: Path) -> tuple[Path, ssl.SSLContext]:
    """A certificate and a server's context with it."""
    return make_certificate(tmp_path)


@pytest.fixture
def encrypted(certificate: tuple[Path, ssl.SSLContext], monkeypatch: pytest.MonkeyPatch) -> Iterator[Mailbox]:
    """A mail server that takes nothing in the clear and nothing from strangers; this machine believes it."""
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate[0]))
    box = Mailbox(free_port())

    def sign_in(server: Any, session: Any, envelope: Any, mechanism: str, data: Any) -> AuthResult:
        box.signed_in.append(data.password)
        return AuthResult(success=data.password == PASSWORD.encode(), handled=False)

    controller = Controller(
        box,
        hostname="127.0.0.1",
        port=box.port,
        tls_context=certificate[1],
        require_starttls=True,
        authenticator=sign_in,
        auth_required=True,
    )
    controller.start()
    yield box
    controller.stop()


def use(world: World, box: Mailbox, **more: Any) -> None:
    change(world, mail=Mail(host="localhost", port=box.port, sender="node@vendor.example", **more))


def problem() -> str:
    return Delivery.objects.get().problem


def test_mail_goes_by_starttls_with_the_password_from_a_file(
    world: World, outbox: Worker, encrypted: Mailbox, tmp_path: Path
) -> None:
    secret = tmp_path / "mail.password"
    secret.write_text(PASSWORD + "\n")
    use(world, encrypted, user="node", password_file=str(secret))
    post(job_ended(), [world.account("rita").id])
    outbox.turn()
    assert encrypted.encrypted == [True]
    assert encrypted.recipients == ["rita@people.example"]
    secret.write_text("another")
    post(job_ended("job:2"), [world.account("otto").id])
    outbox.turn()
    assert len(encrypted.raw) == 1
    assert outbox.health.mail == "sign-in-refused"


@pytest.mark.parametrize("security", ["starttls", "tls"])
def test_a_server_without_encryption_gets_nothing(
    world: World, outbox: Worker, mailbox: Mailbox, security: str
) -> None:
    use(world, mailbox, security=security)
    post(job_ended(), [world.account("rita").id])
    outbox.turn()
    assert mailbox.raw == []
    assert problem() == "tls-failed"


def test_a_server_whose_certificate_nobody_vouches_for_gets_nothing(
    world: World, outbox: Worker, encrypted: Mailbox, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    other = tmp_path / "other"
    other.mkdir()
    monkeypatch.setenv("SSL_CERT_FILE", str(make_certificate(other)[0]))
    use(world, encrypted)
    post(job_ended(), [world.account("rita").id])
    outbox.turn()
    make_due()
    outbox.turn()
    assert encrypted.raw == []
    assert problem() == "tls-failed"


@pytest.mark.parametrize(
    "wrong",
    [
        'security = "none"\nuser = "node"\npassword_file = "secret"',
        'user = "node"',
        'security = "maybe"',
        "port = 0",
        'password = "not here"',
    ],
)
def test_settings_that_would_show_a_password_or_make_no_sense_are_refused(tmp_path: Path, wrong: str) -> None:
    head = 'name = "log.example"\nrole = "vendor"\nregion = "r"\noperator = "o"\n'
    mail = f'[mail]\nhost = "mail.example"\nsender = "node@vendor.example"\n{wrong}\n'
    (tmp_path / "node.toml").write_text(head + mail)
    with pytest.raises(InputError):
        load_settings(tmp_path)
