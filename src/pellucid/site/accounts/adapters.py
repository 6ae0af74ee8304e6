"""What this portal decides otherwise than the sign-in library: nobody signs up, nothing is mailed, all is recorded."""

from __future__ import annotations

import base64
import hmac
import os
import time
from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.internal.flows.login import get_authentication_records
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.models import Authenticator
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from pellucid.errors import UnavailableError
from pellucid.people.portal.models import Account
from pellucid.site import current
from pellucid.site.accounts import recorded

_NONCE = 12
_BOUND = b"pellucid: second factors"
_STRONG = (Authenticator.Type.TOTP, Authenticator.Type.WEBAUTHN)


def shown_name(account: Account) -> str:
    """Return how an account is called on its own pages."""
    return account.name or account.email


def factors_of(account: Account) -> int:
    """Return how many second factors an account has, recovery codes not counted."""
    return int(Authenticator.objects.filter(user_id=account.pk, type__in=_STRONG).count())


class AccountAdapter(DefaultAccountAdapter):
    """Sign-in for people whose accounts come from invitations."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """Nobody makes an account for themselves."""
        return False

    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        """Send nothing: mail is no way to a secret, and what people are told goes through the outbox."""

    def is_ajax(self, request: HttpRequest) -> bool:
        """Answer pages with pages, whatever a request says it accepts; twins and the API are for programs."""
        return False

    def is_safe_url(self, url: str | None) -> bool:
        """Tell whether a page of this portal may send somebody on to `url`: only to a path of its own."""
        return bool(url) and str(url).startswith("/") and url_has_allowed_host_and_scheme(url, allowed_hosts=None)

    def is_reauthentication_required(self, *, app: str, **_more: Any) -> bool:
        """Ask again unless all factors were shown in the last minutes, at sign-in or since."""
        return not self._shown_lately() and bool(super().is_reauthentication_required(app=app))

    def _shown_lately(self) -> bool:
        account = self.request.user
        wanted = "mfa" if factors_of(account) else "password"
        records = get_authentication_records(self.request, account)
        since = time.time() - settings.ACCOUNT_REAUTHENTICATION_TIMEOUT
        return any(record.get("method") == wanted and record.get("at", 0) > since for record in records)

    def get_reauthentication_methods(self, user: Account) -> list[dict[str, Any]]:
        """Return the ways to confirm who one is; a password alone does not do for whom a second factor guards."""
        ways: list[dict[str, Any]] = super().get_reauthentication_methods(user)
        strong = [way for way in ways if way["id"] != "reauthenticate"]
        return sorted(strong, key=lambda way: "webauthn" not in way["id"]) if strong and factors_of(user) else ways

    def authentication_failed(self, request: HttpRequest, **credentials: Any) -> None:
        """Record a wrong password, about whom it is if that is known; known or not, it costs the same."""
        email = str(credentials.get("email", "")).lower()
        recorded.refused("password", Account.objects.filter(email=email).values_list("id", flat=True).first())

    def reauthenticate(self, user: Account, password: str) -> bool:
        """Tell whether `password` is the password of whom is signed in; counted as an attempt to sign in."""
        found = self.authenticate(self.request, email=user.email, password=password)
        return found is not None and found.pk == user.pk

    def respond_user_inactive(self, request: HttpRequest, user: Account) -> HttpResponse:
        """Say no more of an account that is closed than of one that never was."""
        recorded.refused("closed", user.pk)
        messages.error(request, _("Nobody could be signed in with that."))
        return redirect("account_login")

    def login(self, request: HttpRequest, user: Account) -> None:
        """Record the sign-in, then open the session under a new key; sessions that are over are swept out with it."""
        recorded.signed_in(request, user)
        request.session.clear_expired()
        super().login(request, user)
        request.session["signed_in_at"] = request.session["seen_at"] = int(time.time())

    def logout(self, request: HttpRequest) -> None:
        """End the session and record that."""
        account = request.user.pk
        super().logout(request)
        if account is not None:
            recorded.signed_out(account, "asked")


class FactorAdapter(DefaultMFAAdapter):
    """Second factors, whose secrets lie encrypted in the database."""

    error_messages = {  # noqa: RUF012 - as the library has it
        **DefaultMFAAdapter.error_messages,
        "cannot_delete_authenticator": gettext_lazy(
            "This is your only second factor. Add another one first, then remove this one."
        ),
        "incorrect_code": gettext_lazy("That did not fit. Try again."),
    }

    def can_delete_authenticator(self, authenticator: Authenticator) -> bool:
        """The last second factor stays: what it guards would be open to a password alone."""
        return authenticator.type == Authenticator.Type.RECOVERY_CODES or factors_of(authenticator.user) > 1

    def generate_authenticator_name(self, user: Account, type: Authenticator.Type) -> str:  # noqa: A002 - as there
        """Return a name for a new passkey that its owner did not name."""
        number = Authenticator.objects.filter(user_id=user.pk, type=type).count() + 1
        return _("Passkey %(number)d") % {"number": number}

    def encrypt(self, text: str) -> str:
        """Seal a secret under a key derived from the secret key of the node: base64 of a random nonce and the text."""
        nonce = os.urandom(_NONCE)
        return base64.b64encode(nonce + _cipher().encrypt(nonce, text.encode(), _BOUND)).decode()

    def decrypt(self, encrypted_text: str) -> str:
        """Undo `encrypt`; UnavailableError when the node's secret key is another one now."""
        try:
            sealed = base64.b64decode(encrypted_text, validate=True)
            return _cipher().decrypt(sealed[:_NONCE], sealed[_NONCE:], _BOUND).decode()
        except (InvalidTag, ValueError) as error:
            raise UnavailableError(
                "a second factor cannot be read: it was kept under another secret key",
                where="secret_key",
                remedy="restore the file from its backup, or invite the person anew",
            ) from error

    def _get_site_name(self) -> str:
        return str(current.views().node().name)


def _cipher() -> ChaCha20Poly1305:
    return ChaCha20Poly1305(hmac.digest(settings.SECRET_KEY.encode(), _BOUND, "sha256"))
