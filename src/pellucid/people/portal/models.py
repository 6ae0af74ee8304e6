"""Accounts, their roles, invitations and operator sessions.

Names, addresses and reasons are here and nowhere else, so that they can be erased; logs know `Account.id` only.
"""

from __future__ import annotations

import secrets
from typing import Any, ClassVar

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.db import models
from django.db.models.functions import Now

from pellucid.people.roles import Role

_ROLES = [(role.value, role.value) for role in Role]


def new_person_id() -> str:
    """Return 32 random hexadecimal digits: how logs speak of a person, and what stays when the name is erased."""
    return secrets.token_hex(16)


class Organisation(models.Model):
    """Whom people work for. `id` is a pseudonym; `name` is erasable."""

    id = models.CharField(primary_key=True, max_length=32, default=new_person_id, editable=False)
    name = models.CharField(max_length=200)
    erased_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return self.id


class AccountManager(BaseUserManager["Account"]):
    """Makes accounts; there is no superuser to make."""

    def create_user(self, email: str, password: str | None = None, **fields: Any) -> Account:
        """Make an account; without a password nobody signs in by one."""
        account = self.model(email=self.normalize_email(email).lower(), **fields)
        account.set_password(password)
        account.save(using=self._db)
        return account


class Account(AbstractBaseUser):
    """A person who can sign in once `joined_at` is set. `id` is a pseudonym; `email` and `name` are erasable."""

    id = models.CharField(primary_key=True, max_length=32, default=new_person_id, editable=False)
    email = models.EmailField(unique=True, max_length=254)
    name = models.CharField(max_length=200)
    organisation = models.ForeignKey(
        Organisation, null=True, blank=True, on_delete=models.SET_NULL, related_name="people"
    )
    is_active = models.BooleanField(default=True)
    made_at = models.DateTimeField(db_default=Now())
    joined_at = models.DateTimeField(null=True, blank=True)
    erased_at = models.DateTimeField(null=True, blank=True)
    backend: str

    objects: ClassVar[AccountManager] = AccountManager()

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = ["name"]

    def __str__(self) -> str:
        return self.id


class RoleGrant(models.Model):
    """A role that an account holds from `granted_at` until `ended_at` or `expires_at`; `granted_by` None: the home."""

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="grants")
    role = models.CharField(max_length=20, choices=_ROLES)
    granted_by = models.ForeignKey(Account, null=True, on_delete=models.SET_NULL, related_name="+")
    granted_at = models.DateTimeField(db_default=Now())
    expires_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return f"{self.role} of {self.account_id}"


class Invitation(models.Model):
    """A way in, once, for who has both its address and its code.

    `address` is the unguessable end of its page's address, and goes by mail; of the code, which is told by another way,
    only a hash is kept. `tries` counts codes that were tried. `again` marks a way back in for an account that had
    joined before. `roles` are granted on acceptance until `roles_expire_at`.
    """

    id = models.CharField(primary_key=True, max_length=32, default=new_person_id, editable=False)
    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="invitations")
    address = models.CharField(max_length=32, unique=True, default=new_person_id, editable=False)
    code_hash = models.CharField(max_length=128)
    tries = models.PositiveSmallIntegerField(default=0)
    again = models.BooleanField(default=False)
    roles = models.JSONField(default=list)
    roles_expire_at = models.DateTimeField(null=True, blank=True)
    invited_by = models.ForeignKey(Account, null=True, on_delete=models.SET_NULL, related_name="+")
    made_at = models.DateTimeField(db_default=Now())
    expires_at = models.DateTimeField()
    accepted_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return self.id


class OperatorSession(models.Model):
    """A stretch of time in which one browser of an operator reaches private things, and every request is recorded.

    `opening` (JSON of `statement.commitment.Opening`) holds the reason and its salt; erased, the digest in the audit
    log says nothing.
    """

    id = models.CharField(primary_key=True, max_length=32, default=new_person_id, editable=False)
    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="operator_sessions")
    opening = models.TextField(blank=True)
    opened_at = models.DateTimeField(db_default=Now())
    ends_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True, blank=True)
    requests = models.PositiveIntegerField(default=0)

    def __str__(self) -> str:
        return self.id


class WaitingEvent(models.Model):
    """An audit event of a command at the home, on its way into the audit log, which only the node itself writes."""

    event = models.TextField()

    def __str__(self) -> str:
        return f"event {self.pk}"
