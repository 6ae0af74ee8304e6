"""Every way in that an account has, taken away at once: for whoever comes back by an invitation, or is erased."""

from __future__ import annotations

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialAccount
from allauth.usersessions.models import UserSession
from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.models import Session

from pellucid.outbox.portal import door as outbox
from pellucid.people.portal import sessions
from pellucid.people.portal.models import Account, OperatorSession

_WHOSE = (SESSION_KEY, "account_authentication_methods_user")


def take_away(account: Account) -> None:
    """Delete second factors, outside identities, addresses, sessions, webhooks and the feed's address.

    The caller sees to the password.
    """
    outbox.take_away(account.id)
    for kept in (Authenticator, EmailAddress, SocialAccount):
        kept.objects.filter(user=account).delete()
    end_sessions(account)


def end_sessions(account: Account) -> int:
    """Sign somebody out everywhere, half-done sign-ins and operator sessions too; return of how many browsers."""
    sessions.end(OperatorSession.objects.filter(account=account, closed_at=None), "replaced")
    UserSession.objects.filter(user=account).delete()
    ended = 0
    for session in Session.objects.iterator():
        values = session.get_decoded()
        if any(values.get(key) == account.id for key in _WHOSE):
            session.delete()
            ended += 1
    return ended
