"""Messages and their deliveries, and how each person wants to be told.

A mail address stands in `Delivery.address` only for somebody who has no account yet, and only until the delivery is
over; the address of an account is read from the account when the mail is sent.
"""

from __future__ import annotations

import secrets
from typing import ClassVar

from django.db import models

from pellucid.outbox.channel import Channel, DeliveryState, Problem
from pellucid.outbox.notice import NoticeKind
from pellucid.people.portal.models import Account


def new_delivery_id() -> str:
    """Return 32 random hexadecimal digits: a delivery's name, also in Message-IDs, the same at every attempt."""
    return secrets.token_hex(16)


class Message(models.Model):
    """A notice that was posted, once for each key."""

    kind = models.CharField(max_length=30, choices=[(kind.value, kind.value) for kind in NoticeKind])
    key = models.CharField(max_length=200, unique=True)
    path = models.CharField(max_length=260)
    words = models.JSONField(default=dict)
    posted_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.kind} {self.pk}"


class Told(models.Model):
    """A message that is for an account, whichever way it goes: what the person's own page and feed list."""

    message = models.ForeignKey(Message, on_delete=models.CASCADE, related_name="told")
    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="told")

    class Meta:
        """Everybody is told once."""

        constraints: ClassVar = [models.UniqueConstraint(fields=["message", "account"], name="told_once")]

    def __str__(self) -> str:
        return f"{self.message_id} to {self.account_id}"


class Webhook(models.Model):
    """An address of a person's that takes signed notices; `kinds` as in NoticeKind, none for all."""

    id = models.CharField(primary_key=True, max_length=32, default=new_delivery_id, editable=False)
    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="webhooks")
    url = models.CharField(max_length=500)
    kinds = models.JSONField(default=list)
    made_at = models.DateTimeField()
    failures = models.PositiveIntegerField(default=0)
    stopped_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return self.id


class Delivery(models.Model):
    """One mail or one call of a webhook, with the messages it carries.

    It gathers messages until it is sealed, just before its first attempt; from then on each attempt sends the same
    messages under the same id.
    """

    id = models.CharField(primary_key=True, max_length=32, default=new_delivery_id, editable=False)
    channel = models.CharField(max_length=10, choices=[(channel.value, channel.value) for channel in Channel])
    account = models.ForeignKey(Account, null=True, on_delete=models.CASCADE, related_name="deliveries")
    address = models.CharField(max_length=254, blank=True)
    webhook = models.ForeignKey(Webhook, null=True, on_delete=models.CASCADE, related_name="deliveries")
    messages = models.ManyToManyField(Message, related_name="deliveries")
    daily = models.BooleanField(default=False)
    state = models.CharField(
        max_length=10,
        choices=[(state.value, state.value) for state in DeliveryState],
        default=DeliveryState.WAITING.value,
    )
    problem = models.CharField(max_length=30, blank=True, choices=[(word.value, word.value) for word in Problem])
    attempts = models.PositiveIntegerField(default=0)
    made_at = models.DateTimeField()
    due_at = models.DateTimeField()
    until = models.DateTimeField(null=True, blank=True)
    sealed_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        """The worker asks for what is due."""

        indexes: ClassVar = [models.Index(fields=["state", "due_at"], name="delivery_due")]

    def __str__(self) -> str:
        return self.id


class Preferences(models.Model):
    """How an account wants to be told; `modes` holds a Mode for each NoticeKind that is not told at once.

    Quiet hours and the hour of the daily mail are by the clock of `zone`. `feed` is the SHA-256 of the secret part of
    the personal feed's address, empty while there is no feed.
    """

    account = models.OneToOneField(Account, primary_key=True, on_delete=models.CASCADE, related_name="preferences")
    modes = models.JSONField(default=dict)
    zone = models.CharField(max_length=60, default="UTC")
    quiet_from = models.TimeField(null=True, blank=True)
    quiet_until = models.TimeField(null=True, blank=True)
    daily_at = models.TimeField(default="08:00")
    language = models.CharField(max_length=10, default="en")
    feed = models.CharField(max_length=64, blank=True, db_index=True)

    def __str__(self) -> str:
        return str(self.account_id)


class Concern(models.Model):
    """Something that is wrong now and was seen by a watch; the row goes when it is over."""

    watch = models.CharField(max_length=40)
    subject = models.CharField(max_length=300)
    since = models.DateTimeField()
    told_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        """One concern for each subject of a watch."""

        constraints: ClassVar = [models.UniqueConstraint(fields=["watch", "subject"], name="concern_once")]

    def __str__(self) -> str:
        return f"{self.watch}: {self.subject}"
