"""The pages on which people see and change how they sign in."""

from __future__ import annotations

from typing import Any

from allauth.mfa.adapter import get_adapter as factor_adapter
from allauth.mfa.base import views as base
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes import views as codes
from allauth.mfa.totp import views as totp
from allauth.mfa.webauthn import views as passkeys
from allauth.mfa.webauthn.internal import auth as ceremony
from allauth.socialaccount import views as social
from allauth.socialaccount.models import SocialAccount
from django.conf import settings
from django.forms import Form
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse_lazy
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from pellucid.site.accounts import recorded
from pellucid.site.accounts.pages import FactorsPage, Passkey, Provider
from pellucid.site.accounts.qr import qr_code
from pellucid.site.accounts.shown import Shown, passkeys_work, who

FACTORS = reverse_lazy("mfa_index")


class Factors(Shown, base.IndexView):
    """How somebody signs in, and what may be changed about it."""

    def page(self, context: dict[str, Any]) -> FactorsPage:
        """Return everything but the secrets."""
        held = context["authenticators"]
        keys, app = held.get(Authenticator.Type.WEBAUTHN, []), held.get(Authenticator.Type.TOTP)
        spare = held.get(Authenticator.Type.RECOVERY_CODES)
        return FactorsPage(
            title=_("Ways to sign in"),
            as_of=timezone.now(),
            guarded=bool(keys or app),
            passkeys=tuple(_passkey(key) for key in keys),
            app_added_at=app.instance.created_at if app else None,
            codes_left=len(spare.get_unused_codes()) if spare else None,
            providers=_providers(self.request),
        )

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Return the page, and whether passkeys can be made at this address."""
        return {**super().get_context_data(**kwargs), "passkeys_here": passkeys_work(self.request)}


def _passkey(key: Any) -> Passkey:
    return Passkey(key.instance.pk, key.name, key.instance.created_at, key.instance.last_used_at)


def _providers(request: HttpRequest) -> tuple[Provider, ...]:
    connected = dict(SocialAccount.objects.filter(user=request.user).values_list("provider", "pk"))
    return tuple(Provider(given.id, given.name, connected.get(given.id)) for given in settings.OPENID)


class AddTotp(Shown, totp.ActivateTOTPView):
    """Adds an authenticator app."""

    heading = gettext_noop("Add an authenticator app")

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Return the form, and the secret as a QR code."""
        context = super().get_context_data(**kwargs)
        return {**context, "qr": qr_code(context["totp_url"])}

    def form_valid(self, form: Form) -> HttpResponse:
        """Record it, then add it."""
        recorded.factor_added(who(self.request), "totp")
        answer = super().form_valid(form)
        if self.did_generate_recovery_codes:
            recorded.factor_added(who(self.request), "recovery-codes")
        return answer


class RemoveTotp(Shown, totp.DeactivateTOTPView):
    """Removes the authenticator app."""

    heading = gettext_noop("Remove the authenticator app")

    def form_valid(self, form: Form) -> HttpResponse:
        """Record it, then remove it."""
        recorded.factor_removed(who(self.request), "totp")
        return super().form_valid(form)


class AddPasskey(Shown, passkeys.AddWebAuthnView):
    """Adds a passkey, which is one to sign in with."""

    heading = gettext_noop("Add a passkey")

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Return the form, and the options for a key that the browser keeps and that asks who uses it."""
        context = super().get_context_data(**kwargs)
        options = ceremony.begin_registration(self.request.user, True)
        return {**context, "options": options, "passkeys_here": passkeys_work(self.request)}

    def form_valid(self, form: Form) -> HttpResponse:
        """Record it, then add it."""
        recorded.factor_added(who(self.request), "passkey")
        answer = super().form_valid(form)
        if self.did_generate_recovery_codes:
            recorded.factor_added(who(self.request), "recovery-codes")
        return answer


class NamePasskey(Shown, passkeys.EditWebAuthnView):
    """Gives a passkey another name."""

    heading = gettext_noop("Rename a passkey")
    success_url = FACTORS


class RemovePasskey(Shown, passkeys.RemoveWebAuthnView):
    """Removes a passkey, unless it is all that guards the account."""

    heading = gettext_noop("Remove a passkey")
    success_url = FACTORS

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Return the passkey, and whether it is the only factor."""
        context = super().get_context_data(**kwargs)
        return {**context, "only": not factor_adapter().can_delete_authenticator(self.object)}

    def form_valid(self, form: Form) -> HttpResponse:
        """Record it, then remove it."""
        if not factor_adapter().can_delete_authenticator(self.get_object()):
            return self.render_to_response(self.get_context_data(form=form), status=409)
        recorded.factor_removed(who(self.request), "passkey")
        return super().form_valid(form)


class RecoveryCodes(Shown, codes.ViewRecoveryCodesView):
    """Shows recovery codes, once."""

    heading = gettext_noop("Recovery codes")


class NewRecoveryCodes(Shown, codes.GenerateRecoveryCodesView):
    """Makes new recovery codes in place of the old ones."""

    heading = gettext_noop("New recovery codes")

    def form_valid(self, form: Form) -> HttpResponse:
        """Record it, then make them."""
        recorded.factor_added(who(self.request), "recovery-codes")
        return super().form_valid(form)


class Disconnect(social.ConnectionsView):
    """Takes the connection to a provider away."""

    http_method_names = ("post",)
    success_url = FACTORS

    def form_valid(self, form: Form) -> HttpResponse:
        """Record it, then disconnect."""
        recorded.factor_removed(who(self.request), "openid")
        return super().form_valid(form)

    def form_invalid(self, form: Form) -> HttpResponse:
        """Lead back: what was sent names nothing of this person's."""
        return redirect(FACTORS)
