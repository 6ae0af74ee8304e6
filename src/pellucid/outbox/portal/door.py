"""Where a page, a job or a clock posts what people are to be told, and ends what need not be told any more."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from datetime import datetime

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction
from django.db.models import Count
from django.utils import timezone

from pellucid.outbox.channel import Channel, DeliveryState, Mode, Problem
from pellucid.outbox.notice import ALWAYS_TOLD, Notice, NoticeError, NoticeKind
from pellucid.outbox.portal.models import Delivery, Message, Preferences, Told, Webhook
from pellucid.outbox.schedule import Hours
from pellucid.people.portal.models import Account

MOST_IN_ONE = 100  # notices in a mail

# Set when something was posted, so that a worker in this process need not wait for its next look.
posted = threading.Event()


def post(notice: Notice, to: Iterable[str]) -> None:
    """Keep a notice for the accounts `to` (their ids) until it is delivered as each of them prefers.

    Posting it again changes nothing for those who were told; ids of nobody, or of erased accounts, are passed over.
    """
    with transaction.atomic():
        message = _kept(notice)
        for account in Account.objects.filter(id__in=list(to), is_active=True, erased_at=None):
            _, new = Told.objects.get_or_create(message=message, account=account)
            if new:
                _deliver(message, account)
        transaction.on_commit(posted.set)


def post_to_address(notice: Notice, address: str, until: datetime | None = None) -> None:
    """Keep a notice for a mail address that is no account yet.

    The address is erased when the mail is delivered or given up, at `until`, or when `withdraw` is called with the
    notice's key, whichever comes first. NoticeError if it is no mail address.
    """
    try:
        validate_email(address)
    except ValidationError:
        raise NoticeError("that is no mail address", where=f"notice {notice.kind.value}") from None
    now = timezone.now()
    with transaction.atomic():
        message = _kept(notice)
        if not message.deliveries.exists():
            mail = Delivery(channel=Channel.MAIL, address=address, made_at=now, due_at=now, until=until)
            mail.save()
            mail.messages.add(message)
        transaction.on_commit(posted.set)


def key_of_former_address(account_id: str, unique: str) -> str:
    """Return the key for what is told to an address that an account no longer has; `forget` finds it by that."""
    return f"{_former(account_id)}{unique}"


def withdraw(key: str) -> None:
    """Tell nobody who was not told yet: the notice is moot. Addresses that it kept are erased."""
    waiting = Delivery.objects.filter(messages__key=key, state=DeliveryState.WAITING)
    with transaction.atomic():
        for delivery in waiting.filter(account=None):
            end(delivery, DeliveryState.ENDED, Problem.WITHDRAWN)
        for delivery in waiting.filter(sealed_at=None).exclude(account=None):
            delivery.messages.remove(*delivery.messages.filter(key=key))
            if not delivery.messages.exists():
                end(delivery, DeliveryState.ENDED, Problem.WITHDRAWN)


def forget(account_id: str) -> None:
    """Take away all that is held here about an account: preferences, webhooks, feed, addresses, what it was told."""
    former = Delivery.objects.filter(account=None, messages__key__startswith=_former(account_id))
    with transaction.atomic():
        for delivery in former.filter(state=DeliveryState.WAITING):
            end(delivery, DeliveryState.ENDED, Problem.WITHDRAWN)
        Delivery.objects.filter(account_id=account_id).delete()
        Webhook.objects.filter(account_id=account_id).delete()
        Told.objects.filter(account_id=account_id).delete()
        Preferences.objects.filter(account_id=account_id).delete()


def take_away(account_id: str) -> None:
    """End every way by which somebody else might go on hearing what an account is told: its webhooks and its feed."""
    with transaction.atomic():
        Webhook.objects.filter(account_id=account_id).delete()
        Preferences.objects.filter(account_id=account_id).update(feed="")


def end(delivery: Delivery, state: DeliveryState, problem: Problem | None = None) -> None:
    """Close a delivery; an address it held is erased with that."""
    delivery.state, delivery.problem = state.value, problem.value if problem else ""
    delivery.address, delivery.ended_at = "", timezone.now()
    delivery.save(update_fields=["state", "problem", "address", "ended_at"])


def mode_of(preferences: Preferences | None, kind: NoticeKind) -> Mode:
    """Return when a person wants mail about a kind; what must be heard goes at once."""
    if preferences is None or kind in ALWAYS_TOLD:
        return Mode.AT_ONCE
    wanted = preferences.modes.get(kind.value)
    return Mode(wanted) if wanted in set(Mode) else Mode.AT_ONCE


def hours_of(preferences: Preferences | None) -> Hours:
    """Return the person's clock."""
    if preferences is None:
        return Hours()
    wishes = preferences
    return Hours(wishes.zone, wishes.quiet_from, wishes.quiet_until, wishes.daily_at)


def _former(account_id: str) -> str:
    return f"former-address:{account_id}:"


def _kept(notice: Notice) -> Message:
    fields = {"kind": notice.kind.value, "path": notice.path, "words": dict(notice.words)}
    return Message.objects.get_or_create(key=notice.key, defaults={**fields, "posted_at": timezone.now()})[0]


def _deliver(message: Message, account: Account) -> None:
    """Queue what the person wants: a mail, alone or with others that wait, and each webhook at once."""
    now, kind = timezone.now(), NoticeKind(message.kind)
    preferences = Preferences.objects.filter(account=account).first()
    mode = mode_of(preferences, kind)
    if mode is not Mode.OFF:
        _gather(message, account, hours_of(preferences).due(now, mode), daily=mode is Mode.DAILY)
    for webhook in Webhook.objects.filter(account=account, stopped_at=None):
        if not webhook.kinds or message.kind in webhook.kinds:
            call = Delivery(channel=Channel.WEBHOOK, account=account, webhook=webhook, made_at=now, due_at=now)
            call.save()
            call.messages.add(message)


def _gather(message: Message, account: Account, due: datetime, *, daily: bool) -> None:
    """Put a message into the mail that waits for its first attempt, or into a new one."""
    open_ones = Delivery.objects.filter(
        account=account, channel=Channel.MAIL, state=DeliveryState.WAITING, sealed_at=None, daily=daily
    )
    waiting: Delivery | None = open_ones.annotate(count=Count("messages")).filter(count__lt=MOST_IN_ONE).first()
    if waiting is None:
        waiting = Delivery(channel=Channel.MAIL, account=account, daily=daily, made_at=timezone.now(), due_at=due)
        waiting.save()
    waiting.messages.add(message)
