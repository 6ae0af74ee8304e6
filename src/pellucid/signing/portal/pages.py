"""The page models of signing: what waits for a signature, and one statement in full."""

from __future__ import annotations

import base64
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _

from pellucid.people.portal.models import Account
from pellucid.signing.portal.door import Wording, ground
from pellucid.signing.portal.key_pages import MOST_SHOWN, Command, Crumb, KeyLine, Mark, key_line, now
from pellucid.signing.portal.models import PartyKey, SigningRequest
from pellucid.signing.portal.requests import parsed_of, refreshed, said_by
from pellucid.signing.states import State
from pellucid.statement.digest import sha256_hex
from pellucid.statement.dsse import IN_TOTO, pae
from pellucid.trust.predicate import Custody


@dataclass(frozen=True, slots=True)
class RequestLine:
    """A request in a list."""

    id: str
    kind: str
    sentence: Any
    statement: str
    mark: Mark
    asked_at: datetime
    expires_at: datetime
    ended_at: datetime | None


@dataclass(frozen=True, slots=True)
class SigningPage:
    """What waits for a signature of one person, and what became of the rest."""

    as_of: datetime
    title: str
    waiting: tuple[RequestLine, ...]
    past: tuple[RequestLine, ...]
    keys: int


@dataclass(frozen=True, slots=True)
class SignedBytes:
    """What is signed, to the byte; `statement` is the SHA-256 of its PAE, `file` the name of the download."""

    statement: str
    payload_type: str
    payload: str
    payload_base64: str
    size: int
    file: str


@dataclass(frozen=True, slots=True)
class LogAnswer:
    """What the log made of a signature; `refusal` is the reason in the node's signed receipt."""

    signed_with: str | None
    refusal: str | None
    has_receipt: bool
    is_logged: bool
    may_submit: bool


@dataclass(frozen=True, slots=True)
class RequestPage:
    """One statement to sign: in words, field by field, and to the byte."""

    as_of: datetime
    title: str
    crumbs: tuple[Crumb, ...]
    id: str
    account: str
    state: str
    mark: Mark
    advice: str
    word: Wording
    predicate_type: str
    asked_by: str
    why: str
    asked_at: datetime
    expires_at: datetime
    bytes: SignedBytes
    open: bool
    keys: tuple[KeyLine, ...]
    commands: tuple[Command, ...]
    answer: LogAnswer
    note: str
    speaks: bool

    @property
    def browser_keys(self) -> str:
        """The ids of the signer's keys kept in browsers, for the script of the page."""
        return " ".join(key.key for key in self.keys if key.custody == Custody.BROWSER)


@dataclass(frozen=True, slots=True)
class FormPage:
    """A page that only holds a form."""

    as_of: datetime
    title: str
    crumbs: tuple[Crumb, ...]


def signing_page(account: Account) -> SigningPage:
    """Build the list of what waits and what is over."""
    requests = SigningRequest.objects.filter(account=account).select_related("account", "key").order_by("-asked_at")
    lines = [(request, _request_line(request)) for request in map(refreshed, requests[:MOST_SHOWN])]
    return SigningPage(
        as_of=now(),
        title=_("Signing"),
        waiting=tuple(line for request, line in lines if not State(request.state).over),
        past=tuple(line for request, line in lines if State(request.state).over),
        keys=PartyKey.objects.filter(account=account, retired_at=None).count(),
    )


def request_page(request: SigningRequest) -> RequestPage:
    """Build the page that shows a statement in full; `request` is as it stands now."""
    parsed, state = parsed_of(request), State(request.state)
    word = ground().word(parsed, request.key.key_id if request.key else None)
    keys = PartyKey.objects.filter(account=request.account, retired_at=None).select_related("account").order_by("-id")
    lines = tuple(key_line(key) for key in keys)
    signed = _bytes(bytes(request.payload))
    return RequestPage(
        as_of=now(),
        title=_("%(kind)s to sign") % {"kind": word.kind} if not state.over else word.kind,
        crumbs=(Crumb(_("Signing"), "/signing"), Crumb(word.kind)),
        id=request.id,
        account=request.account_id,
        state=state.value,
        mark=_mark(state),
        advice=_advice(state),
        word=word,
        predicate_type=parsed.statement.predicate_type,
        asked_by=_asker(request),
        why=request.why,
        asked_at=request.asked_at,
        expires_at=request.expires_at,
        bytes=signed,
        open=state.wants_signature and state is not State.SIGNED,
        keys=lines,
        commands=_sign_commands(signed.file),
        answer=_log_answer(request),
        note=request.note,
        speaks=any(line.mark.state == "good" for line in lines),
    )


def form_page(title: str, crumbs: Iterable[Crumb]) -> FormPage:
    """Build a page around a form."""
    return FormPage(now(), title, tuple(crumbs))


def _request_line(request: SigningRequest) -> RequestLine:
    word = ground().word(parsed_of(request), request.key.key_id if request.key else None)
    return RequestLine(
        request.id,
        word.kind,
        word.sentence,
        request.statement_id,
        _mark(State(request.state)),
        request.asked_at,
        request.expires_at,
        request.ended_at,
    )


def _bytes(payload: bytes) -> SignedBytes:
    statement = sha256_hex(pae(IN_TOTO, payload))
    return SignedBytes(
        statement,
        IN_TOTO,
        payload.decode("utf-8", "backslashreplace"),
        base64.b64encode(payload).decode(),
        len(payload),
        f"statement-{statement[:12]}.json",
    )


def _log_answer(request: SigningRequest) -> LogAnswer:
    state = State(request.state)
    receipt = said_by(bytes(request.receipt)) if request.receipt else None
    return LogAnswer(
        signed_with=request.key.key_id if request.key else None,
        refusal=receipt.reason.value if receipt and receipt.reason and state is not State.LOGGED else None,
        has_receipt=receipt is not None,
        is_logged=state is State.LOGGED,
        may_submit=state in {State.SIGNED, State.REFUSED} and request.envelope is not None,
    )


def _sign_commands(file: str) -> tuple[Command, ...]:
    signed = f"{file.removesuffix('.json')}.dsse.json"
    url = ground().views().node().url or "URL"
    sign = f"pellucid statement sign {file} --key YOUR.key"
    submit = f"pellucid statement submit {signed} --to {url}"
    return (
        Command(_("Sign it where your key is; compare the id that it prints"), sign),
        Command(_("Send it from there, or upload the file below"), submit),
    )


def _asker(request: SigningRequest) -> str:
    asked_by = request.asked_by
    if asked_by is None or asked_by.id == request.account_id:
        return ""
    return asked_by.name or asked_by.id


def _mark(state: State) -> Mark:
    return {
        State.OPEN: Mark("attention", _("waits for you")),
        State.SIGNED: Mark("attention", _("signed, not logged yet")),
        State.REFUSED: Mark("failed", _("signed, refused by the log")),
        State.LOGGED: Mark("good", _("logged")),
        State.DECLINED: Mark("unknown", _("declined")),
        State.EXPIRED: Mark("unknown", _("expired")),
        State.TAKEN_BACK: Mark("unknown", _("taken back")),
    }[state]


def _advice(state: State) -> str:
    return {
        State.OPEN: "",
        State.SIGNED: _("Your signature is kept here. Have it logged once the log takes statements again."),
        State.REFUSED: _(
            "The node answered with a signed refusal. Once the reason is mended, have it logged again, or sign it anew."
        ),
        State.LOGGED: _("It is in the log for ever. You can withdraw it; what was said stays visible."),
        State.DECLINED: _("Nothing was logged."),
        State.EXPIRED: _("Nothing was logged."),
        State.TAKEN_BACK: _("Whoever asked no longer asks. Nothing was logged."),
    }[state]
