"""The pages of sign-in: the library's views, each with its page model, and what we ask beyond them."""

from __future__ import annotations

import re
from typing import Any

from allauth.account import views as account
from allauth.account.models import EmailAddress, Login
from allauth.account.utils import get_next_redirect_url
from allauth.core.internal import ratelimit
from allauth.mfa.base import views as base
from allauth.mfa.models import Authenticator
from allauth.mfa.webauthn import views as passkeys
from allauth.mfa.webauthn.internal import auth as ceremony
from allauth.mfa.webauthn.internal import flows as passkey_flows
from allauth.usersessions import views as sessions
from allauth.usersessions.internal import flows as session_flows
from allauth.usersessions.models import UserSession
from django.conf import settings
from django.contrib import messages
from django.db import transaction
from django.forms import Form
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect
from django.urls import reverse_lazy
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop
from django.views.generic.edit import FormView

from pellucid.people.portal.models import Account
from pellucid.site.accounts import recorded
from pellucid.site.accounts.forms import AddressForm
from pellucid.site.accounts.pages import Session, SessionsPage
from pellucid.site.accounts.shown import Shown, passkeys_work, who

_BROWSERS = re.compile(r"Firefox|Edg|OPR|Chrome|Safari")
_SYSTEMS = re.compile(r"Windows|Android|iPhone|iPad|Macintosh|Linux")


class SignIn(Shown, account.LoginView):
    """The first page of sign-in."""

    heading = gettext_noop("Sign in")

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Return the form and the other ways in."""
        return {
            **super().get_context_data(**kwargs),
            "providers": settings.OPENID,
            "passkeys_here": passkeys_work(self.request),
        }


class PasskeySignIn(passkeys.LoginWebAuthnView):
    """Sign-in by passkey alone: a POST without a credential begins it, one with a credential ends it."""

    http_method_names = ("post",)

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Answer with the challenge as JSON, or sign in."""
        if "credential" not in request.POST:
            return JsonResponse(ceremony.begin_authentication())
        return super().post(request, *args, **kwargs)

    def form_valid(self, form: Form) -> HttpResponse:
        """Sign in, and lead on to where the person was going."""
        authenticator = form.cleaned_data["credential"]
        login = Login(user=authenticator.user, redirect_url=get_next_redirect_url(self.request))
        self.request.session.set_expiry(0)
        return passkey_flows.perform_passwordless_login(self.request, authenticator, login)

    def form_invalid(self, form: Form) -> HttpResponse:
        """Say that it did not fit, and nothing more."""
        recorded.refused("passkey", None)
        messages.error(self.request, _("Nobody could be signed in with that."))
        return redirect("account_login")


class SecondFactor(Shown, base.AuthenticateView):
    """The second page of sign-in."""

    heading = gettext_noop("Second factor")

    def form_invalid(self, form: Form) -> HttpResponse:
        """Record a passkey that did not fit; wrong codes are recorded where they are tried."""
        if "code" not in self.request.POST:
            recorded.refused("passkey", self.stage.login.user.pk)
        return super().form_invalid(form)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Return the forms, and which of them the person can use."""
        held = set(Authenticator.objects.filter(user=self.stage.login.user).values_list("type", flat=True))
        return {
            **super().get_context_data(**kwargs),
            "has_app": Authenticator.Type.TOTP in held,
            "has_passkey": Authenticator.Type.WEBAUTHN in held,
        }


class SignOut(Shown, account.LogoutView):
    """Ends this session, and has the browser forget what it kept of the pages; a signing key that it holds stays."""

    heading = gettext_noop("Sign out")

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Sign out."""
        answer: HttpResponse = super().post(request, *args, **kwargs)
        answer.headers["Clear-Site-Data"] = '"cache"'
        return answer


def _renewed(request: HttpRequest, answer: HttpResponse) -> HttpResponse:
    """Go on under a new session key, so that one that was read before does not profit from who confirmed."""
    before = request.session.session_key
    request.session.cycle_key()
    UserSession.objects.filter(session_key=before).update(session_key=request.session.session_key)
    return answer


class Confirm(Shown, account.ReauthenticateView):
    """Asks for the password again."""

    heading = gettext_noop("Confirm that it is you")

    def form_valid(self, form: Form) -> HttpResponse:
        """Go on under a new session key."""
        return _renewed(self.request, super().form_valid(form))


class ConfirmByCode(Shown, base.ReauthenticateView):
    """Asks for a code again."""

    heading = gettext_noop("Confirm that it is you")

    def form_valid(self, form: Form) -> HttpResponse:
        """Go on under a new session key."""
        return _renewed(self.request, super().form_valid(form))


class ConfirmByPasskey(Shown, passkeys.ReauthenticateWebAuthnView):
    """Asks for a passkey again."""

    heading = gettext_noop("Confirm that it is you")

    def form_valid(self, form: Form) -> HttpResponse:
        """Go on under a new session key."""
        return _renewed(self.request, super().form_valid(form))

    def form_invalid(self, form: Form) -> HttpResponse:
        """Record it, and ask again."""
        recorded.refused("passkey", self.request.user.pk)
        messages.error(self.request, _("That did not fit. Try again."))
        return redirect(self.request.get_full_path())


class Password(Shown, account.PasswordChangeView):
    """Changes the password, and ends all other sessions with that."""

    heading = gettext_noop("Change the password")
    success_url = reverse_lazy("account")

    def get_default_success_url(self) -> str:
        """Lead back to the account."""
        return str(self.success_url)

    def form_valid(self, form: Form) -> HttpResponse:
        """Record it, then change it."""
        recorded.password_changed(who(self.request))
        return super().form_valid(form)


class Address(Shown, FormView):  # type: ignore[type-arg]  # it takes no argument when it runs
    """Changes the mail address. The new one is not proven by mail: mail opens nothing here."""

    heading = gettext_noop("Change the e-mail address")
    template_name = "account/email.html"
    form_class = AddressForm
    success_url = reverse_lazy("account")

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Change it, five times an hour at most: whether an address is taken is not for asking at length."""
        refusal = ratelimit.consume_or_429(request, app="allauth.account", action="manage_email")
        return refusal or super().post(request, *args, **kwargs)

    def get_form_kwargs(self) -> dict[str, Any]:
        """Give the form the account that is changed."""
        return {**super().get_form_kwargs(), "account": self.request.user}

    def form_valid(self, form: AddressForm) -> HttpResponse:
        """Record it, then change it; what the library keeps of the old one, and would still sign in, goes."""
        person = form.account
        recorded.address_changed(person.pk, Account.objects.values_list("email", flat=True).get(pk=person.pk))
        with transaction.atomic():
            EmailAddress.objects.filter(user=person).delete()
            # Not by `save`: whoever is erased meanwhile has no address any more, and gets none back.
            Account.objects.filter(pk=person.pk, erased_at=None).update(email=form.cleaned_data["email"])
        messages.success(self.request, _("Your e-mail address is changed. Use the new one to sign in."))
        return super().form_valid(form)


class Sessions(Shown, sessions.ListUserSessionsView):
    """Where somebody is signed in; ends one of these sessions, or all others."""

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Show them, this one among them."""
        UserSession.objects.create_from_request(request)
        return super().get(request, *args, **kwargs)

    def page(self, context: dict[str, Any]) -> SessionsPage:
        """Return the sessions, oldest first."""
        lines = tuple(_session(each) for each in context["sessions"])
        idle, longest = settings.SESSION_IDLE // 60, settings.SESSION_COOKIE_AGE // 3600
        return SessionsPage(_("Where you are signed in"), timezone.now(), lines, idle, longest)

    def form_valid(self, form: Form) -> HttpResponse:
        """End the session that is named, or all but this one."""
        person = who(self.request)
        chosen = UserSession.objects.filter(user_id=person)
        wanted = self.request.POST.get("session", "")
        chosen = chosen.filter(pk=int(wanted)) if wanted.isdecimal() and len(wanted) < 18 else chosen
        others = [each for each in chosen if not each.is_current()]
        recorded.signed_out(person, "elsewhere", len(others))
        session_flows.sessions.end_sessions(self.request, others)
        messages.success(self.request, _("Ended: nobody is signed in there any more."))
        return redirect("usersessions_list")


def _session(kept: UserSession) -> Session:
    words = {"browser": _BROWSERS.search(kept.user_agent), "system": _SYSTEMS.search(kept.user_agent)}
    names = {kind: word[0] if word else "" for kind, word in words.items()}
    named = _("%(browser)s on %(system)s") % names if all(names.values()) else kept.user_agent[:80]
    return Session(kept.pk, named, kept.user_agent, kept.ip, kept.created_at, kept.is_current())
