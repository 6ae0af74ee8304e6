"""What the node keeps of signing: public keys and whose they are, and what waits for a signature. No secret key."""

from __future__ import annotations

import secrets

from django.db import models
from django.utils import timezone

from pellucid.people.portal.models import Account
from pellucid.signing.states import DeclineReason, State
from pellucid.statement.keys import PublicKey
from pellucid.trust.predicate import Custody


def new_id() -> str:
    """Return 32 random hexadecimal digits."""
    return secrets.token_hex(16)


class PartyKey(models.Model):
    """A public key that an account has shown to hold; `label` is its owner's own word for it, erasable."""

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="party_keys")
    key_id = models.CharField(max_length=64, unique=True)
    spki = models.CharField(max_length=60)
    custody = models.CharField(max_length=10, choices=[(c.value, c.value) for c in Custody])
    label = models.CharField(max_length=60, blank=True)
    enrolled_at = models.DateTimeField(default=timezone.now)
    retired_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return self.key_id

    @property
    def public(self) -> PublicKey:
        """The key itself."""
        return PublicKey.from_base64(self.spki, where=f"key {self.key_id}")


class KeyChallenge(models.Model):
    """An enrolment that waits for the signed challenge; it is used once and then gone."""

    id = models.CharField(primary_key=True, max_length=32, default=new_id, editable=False)
    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="+")
    spki = models.CharField(max_length=60)
    label = models.CharField(max_length=60, blank=True)
    payload = models.BinaryField()
    expires_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.id


class SigningRequest(models.Model):
    """A statement that waits for the signature of `account`; `why` and `note` are prose, erasable.

    `payload` are the bytes to sign, `statement_id` is the SHA-256 of their PAE. `envelope` is what was signed,
    `receipt` the node's signed answer to it. `ref` is the natural key that the asking room gave.
    """

    id = models.CharField(primary_key=True, max_length=32, default=new_id, editable=False)
    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="signing_requests")
    asked_by = models.ForeignKey(Account, null=True, on_delete=models.SET_NULL, related_name="+")
    ref = models.CharField(max_length=200, unique=True, default=new_id)
    why = models.CharField(max_length=1000, blank=True)
    payload = models.BinaryField()
    statement_id = models.CharField(max_length=64, db_index=True)
    state = models.CharField(max_length=12, choices=[(s.value, s.value) for s in State], default=State.OPEN.value)
    asked_at = models.DateTimeField(default=timezone.now)
    expires_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)
    key = models.ForeignKey(PartyKey, null=True, on_delete=models.SET_NULL, related_name="+")
    envelope = models.BinaryField(null=True)
    receipt = models.BinaryField(null=True)
    reason = models.CharField(max_length=12, blank=True, choices=[(r.value, r.value) for r in DeclineReason])
    note = models.CharField(max_length=500, blank=True)

    def __str__(self) -> str:
        return self.id
