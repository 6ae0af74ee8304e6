"""Delivering what is due, so that a kill at any moment loses nothing: sealed first, then sent, then marked."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable
from datetime import datetime, timedelta
from itertools import zip_longest

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone, translation

from pellucid.outbox import mail, webhook
from pellucid.outbox.attempt import Attempt
from pellucid.outbox.channel import Channel, DeliveryState, Problem
from pellucid.outbox.notice import NoticeKind
from pellucid.outbox.portal import texts
from pellucid.outbox.portal.door import end, hours_of
from pellucid.outbox.portal.models import Delivery, Message, Preferences, Webhook
from pellucid.outbox.schedule import pause_after, some
from pellucid.outbox.speaker import Speaker
from pellucid.record.settings import Settings

AT_ONCE_MOST = 50
KEPT = timedelta(days=90)
_STOP_WEBHOOK_AFTER = 20
_CALLS_FOR = 15.0
_STALLING = frozenset({Problem.NO_MAIL, Problem.UNREACHABLE, Problem.TLS, Problem.SIGN_IN})

Stopped = Callable[[], bool]


class Sender:
    """Delivers for one node; one thread at a time."""

    def __init__(self, speaker: Speaker) -> None:
        self._speaker = speaker

    def round(self, stopped: Stopped = lambda: False) -> int:
        """Try what is due now; return how many deliveries were tried.

        Once the mail server fails, the rest of the mail waits for the next round; without one, all of it waits.
        """
        self._end_overdue()
        settings = self._speaker.home.settings
        mailed = self._mails(settings, stopped) if settings.mail is not None else 0
        return mailed + self._calls(settings, stopped)

    def clear(self) -> None:
        """Drop what is long over."""
        old = timezone.now() - KEPT
        Delivery.objects.filter(ended_at__lt=old).delete()
        Message.objects.filter(posted_at__lt=old, deliveries=None).delete()

    def _mails(self, settings: Settings, stopped: Stopped) -> int:
        tried = 0
        for delivery in _due(Channel.MAIL)[:AT_ONCE_MOST]:
            if stopped():
                break
            attempt = self._try(delivery, settings)
            tried += attempt is not None
            if attempt is not None and attempt.problem in _STALLING:
                break
        return tried

    def _calls(self, settings: Settings, stopped: Stopped) -> int:
        """Call webhooks for a while only: whoever has slow ones must not keep others from being told."""
        tried, end = 0, time.monotonic() + _CALLS_FOR
        for delivery in _in_turns():
            if stopped() or time.monotonic() > end:
                break
            tried += self._try(delivery, settings) is not None
        return tried

    def _end_overdue(self) -> None:
        """Let go of addresses whose time is over, and of what nobody is there for any more."""
        waiting = Delivery.objects.filter(state=DeliveryState.WAITING)
        for delivery in waiting.filter(until__lte=timezone.now()):
            end(delivery, DeliveryState.ENDED, Problem.WITHDRAWN)
        for delivery in waiting.filter(account__is_active=False):
            end(delivery, DeliveryState.ENDED, Problem.NO_ADDRESS)

    def _try(self, delivery: Delivery, settings: Settings) -> Attempt | None:
        """Make one attempt and note how it went; None if the person's quiet hours came first."""
        preferences = Preferences.objects.filter(account_id=delivery.account_id).first()
        if delivery.channel == Channel.MAIL and preferences is not None and hours_of(preferences).is_quiet(_now()):
            self._put_off(delivery, preferences)
            return None
        if not _seal(delivery):
            return None
        if delivery.channel == Channel.MAIL:
            attempt = self._mail(delivery, settings, preferences)
        else:
            attempt = self._call(delivery, settings)
        _note(delivery, attempt)
        return attempt

    def _put_off(self, delivery: Delivery, preferences: Preferences) -> None:
        hours = hours_of(preferences)
        if hours.quiet_until is not None:
            later = hours.next_at(_now(), hours.quiet_until)
            Delivery.objects.filter(pk=delivery.pk).update(due_at=later)

    def _mail(self, delivery: Delivery, settings: Settings, preferences: Preferences | None) -> Attempt:
        account = delivery.account
        address = account.email if account is not None else delivery.address
        if settings.mail is None:
            return Attempt(Problem.NO_MAIL)
        if not address:
            return Attempt(Problem.NO_ADDRESS, final=True)
        with translation.override(texts.language_of(preferences.language if preferences else "")):
            letter = _letter(delivery, address, voice_of(settings), has_account=account is not None)
        return mail.send(letter, settings.mail, settings.name)

    def _call(self, delivery: Delivery, settings: Settings) -> Attempt:
        hook = Webhook.objects.filter(pk=delivery.webhook_id).first()  # read anew: it may have just been stopped
        message = delivery.messages.first()
        if hook is None or message is None or hook.stopped_at is not None:
            return Attempt(Problem.NO_ADDRESS, final=True)
        page, at = voice_of(settings).page(message.path), int(message.posted_at.timestamp())
        call = webhook.Call(delivery.id, hook.id, settings.name, message.kind, at, page, message.words)
        attempt = webhook.post(hook.url, self._speaker.sign_notice(call.payload()), settings.webhook_networks)
        _judge_webhook(hook, attempt)
        return attempt


def _due(channel: Channel) -> QuerySet[Delivery]:
    waiting = Delivery.objects.filter(channel=channel, state=DeliveryState.WAITING, due_at__lte=timezone.now())
    return waiting.order_by("due_at").select_related("account")


def _in_turns() -> list[Delivery]:
    """Return calls that are due, one of each webhook after the other, beginning with any: nobody's are always first."""
    hooks = list(_due(Channel.WEBHOOK).order_by().values_list("webhook_id", flat=True).distinct())
    chosen = some(hooks, AT_ONCE_MOST)
    each = AT_ONCE_MOST // max(1, len(chosen))
    queues = [list(_due(Channel.WEBHOOK).filter(webhook_id=hook)[:each]) for hook in chosen]
    return [delivery for turn in zip_longest(*queues) for delivery in turn if delivery is not None]


def voice_of(settings: Settings) -> texts.Voice:
    """Return how a node with these settings names itself."""
    return texts.Voice(settings.name, settings.operator, settings.address)


def _now() -> datetime:
    return timezone.now()


def _letter(delivery: Delivery, address: str, voice: texts.Voice, *, has_account: bool) -> mail.Letter:
    messages = list(delivery.messages.order_by("posted_at", "pk"))
    told = [(texts.telling(NoticeKind(message.kind), message.words), message.path) for message in messages]
    subject = texts.subject_of(voice, [telling.line for telling, _ in told])
    text = texts.letter_text(voice, told, has_account=has_account)
    return mail.Letter(str(uuid.UUID(delivery.id)), address, subject, text, delivery.sealed_at or delivery.made_at)


def _seal(delivery: Delivery) -> bool:
    """Close a delivery to more messages, durably, before its first attempt; False if there is nothing left to say."""
    with transaction.atomic():
        fresh = Delivery.objects.filter(pk=delivery.pk, state=DeliveryState.WAITING).first()
        if fresh is None:
            return False
        if not fresh.messages.exists():
            end(fresh, DeliveryState.ENDED, Problem.WITHDRAWN)
            return False
        if fresh.sealed_at is None:
            fresh.sealed_at = timezone.now()
            fresh.save(update_fields=["sealed_at"])
        delivery.sealed_at, delivery.attempts = fresh.sealed_at, fresh.attempts
    return True


def _note(delivery: Delivery, attempt: Attempt) -> None:
    """Mark how an attempt went; a delivery that was ended meanwhile stays as it is."""
    with transaction.atomic():
        fresh = Delivery.objects.filter(pk=delivery.pk, state=DeliveryState.WAITING).first()
        if fresh is None:
            return
        fresh.attempts += 1
        fresh.save(update_fields=["attempts"])
        pause = None if attempt.final else pause_after(fresh.attempts)
        if attempt.delivered:
            end(fresh, DeliveryState.DELIVERED)
        elif pause is None:
            end(fresh, DeliveryState.FAILED, attempt.problem)
        else:
            fresh.problem = attempt.problem.value if attempt.problem else ""
            fresh.due_at = timezone.now() + pause
            fresh.save(update_fields=["problem", "due_at"])


def _judge_webhook(hook: Webhook, attempt: Attempt) -> None:
    """Stop calling an address that keeps failing; the person's page says so."""
    failures = 0 if attempt.delivered else hook.failures + 1
    stopped = timezone.now() if attempt.final or failures >= _STOP_WEBHOOK_AFTER else None
    Webhook.objects.filter(pk=hook.pk).update(failures=failures, stopped_at=stopped)
