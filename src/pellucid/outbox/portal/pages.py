"""What the pages of the outbox show; their `.json` twins are these models."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count
from django.utils import timezone
from django.utils.translation import gettext as _

from pellucid.outbox.channel import Channel, DeliveryState, Problem
from pellucid.outbox.notice import NoticeKind
from pellucid.outbox.portal.models import Delivery, Message, Preferences, Told, Webhook
from pellucid.outbox.portal.texts import KIND_NAMES, telling
from pellucid.people.portal.models import Account

SHOWN = 50
MOST_WEBHOOKS = 5


@dataclass(frozen=True, slots=True)
class NoticeLine:
    """One notice in a list."""

    kind: str
    kind_name: str
    line: str
    text: str
    path: str
    at: datetime


@dataclass(frozen=True, slots=True)
class WebhookLine:
    """One webhook of a person's, with how its calls go."""

    id: str
    url: str
    kinds: tuple[str, ...]
    failures: int
    stopped_at: datetime | None


@dataclass(frozen=True, slots=True)
class NoticesPage:
    """How an account is told, and what it was told lately."""

    title: str
    as_of: datetime
    address: str
    has_feed: bool
    webhooks: tuple[WebhookLine, ...]
    room_for_webhooks: bool
    notices: tuple[NoticeLine, ...]


@dataclass(frozen=True, slots=True)
class StateCount:
    """How many deliveries of a channel are in a state."""

    channel: str
    state: str
    count: int


@dataclass(frozen=True, slots=True)
class DeliveryLine:
    """One delivery, without whom it is for and what it says."""

    id: str
    channel: str
    kinds: tuple[str, ...]
    state: str
    problem: str | None
    problem_words: str
    attempts: int
    made_at: datetime
    due_at: datetime
    ended_at: datetime | None


@dataclass(frozen=True, slots=True)
class OutboxPage:
    """How the deliveries of the node stand."""

    title: str
    as_of: datetime
    mail: str
    counts: tuple[StateCount, ...]
    failed: tuple[DeliveryLine, ...]
    waiting: tuple[DeliveryLine, ...]


def notices_page(account: Account) -> NoticesPage:
    """Return what an account sees of its notices."""
    hooks = Webhook.objects.filter(account=account).order_by("made_at")
    lines = tuple(WebhookLine(h.id, h.url, tuple(h.kinds), h.failures, h.stopped_at) for h in hooks)
    return NoticesPage(
        title=_("Notices"),
        as_of=timezone.now(),
        address=account.email,
        has_feed=Preferences.objects.filter(account=account).exclude(feed="").exists(),
        webhooks=lines,
        room_for_webhooks=len(lines) < MOST_WEBHOOKS,
        notices=tuple(notice_lines(account)),
    )


def notice_lines(account: Account) -> Iterable[NoticeLine]:
    """Yield what an account was told, newest first."""
    told = Told.objects.filter(account=account).select_related("message").order_by("-message__posted_at", "-pk")
    for item in told[:SHOWN]:
        yield _line(item.message)


def _line(message: Message) -> NoticeLine:
    kind = NoticeKind(message.kind)
    said = telling(kind, message.words)
    return NoticeLine(message.kind, str(KIND_NAMES[kind]), said.line, said.text, message.path, message.posted_at)


def outbox_page(*, mail: str) -> OutboxPage:
    """Return how deliveries stand: states, kinds and times, nobody's name, address or text."""
    counted = Delivery.objects.values_list("channel", "state").annotate(count=Count("pk")).order_by("channel", "state")
    failed = Delivery.objects.filter(state=DeliveryState.FAILED).order_by("-ended_at")
    waiting = Delivery.objects.filter(state=DeliveryState.WAITING).order_by("due_at")
    return OutboxPage(
        title=_("Outbox"),
        as_of=timezone.now(),
        mail=mail,
        counts=tuple(StateCount(channel, state, count) for channel, state, count in counted),
        failed=tuple(_delivery(item) for item in failed.prefetch_related("messages")[:SHOWN]),
        waiting=tuple(_delivery(item) for item in waiting.prefetch_related("messages")[:SHOWN]),
    )


def _delivery(item: Delivery) -> DeliveryLine:
    return DeliveryLine(
        id=item.id,
        channel=item.channel,
        kinds=tuple(dict.fromkeys(message.kind for message in item.messages.all())),
        state=item.state,
        problem=item.problem or None,
        problem_words=problem_words(item.problem),
        attempts=item.attempts,
        made_at=item.made_at,
        due_at=item.due_at,
        ended_at=item.ended_at,
    )


def problem_words(problem: str) -> str:
    """Say why an attempt failed; empty if none did."""
    said = {
        Problem.NO_MAIL: _("no mail server is set"),
        Problem.UNREACHABLE: _("could not be reached"),
        Problem.TLS: _("no encrypted connection could be made"),
        Problem.SIGN_IN: _("the mail server refused the node's user or password"),
        Problem.REFUSED: _("was refused"),
        Problem.LATER: _("asked to be tried again later"),
        Problem.FORBIDDEN_ADDRESS: _("leads to an address that webhooks may not call"),
        Problem.REDIRECTED: _("answered with a redirect, which is not followed"),
        Problem.NO_ADDRESS: _("there is no address any more"),
        Problem.WITHDRAWN: _("there was no need to tell it any more"),
    }
    return said[Problem(problem)] if problem else ""


def channel_words(channel: str) -> str:
    """Say a channel."""
    return {Channel.MAIL: _("Mail"), Channel.WEBHOOK: _("Webhook")}[Channel(channel)]


def state_words(state: str) -> str:
    """Say a state."""
    said = {
        DeliveryState.WAITING: _("waiting"),
        DeliveryState.DELIVERED: _("delivered"),
        DeliveryState.FAILED: _("failed"),
        DeliveryState.ENDED: _("ended without delivery"),
    }
    return said[DeliveryState(state)]
