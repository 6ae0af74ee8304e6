"""Going to an OpenID Connect provider and coming back; the sign-in library finds its provider classes here."""

from __future__ import annotations

import secrets
from typing import Any

from allauth.core.internal import ratelimit
from allauth.socialaccount.adapter import get_adapter
from allauth.socialaccount.models import SocialApp
from allauth.socialaccount.providers.base import AuthProcess
from allauth.socialaccount.providers.oauth2.client import OAuth2Error
from allauth.socialaccount.providers.oauth2.utils import generate_code_challenge
from allauth.socialaccount.providers.oauth2.views import OAuth2CallbackView, OAuth2LoginView
from allauth.socialaccount.providers.openid_connect.provider import OpenIDConnectProvider
from allauth.socialaccount.providers.openid_connect.views import OpenIDConnectOAuth2Adapter
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render

from pellucid.site.accounts.openid import checked_configuration, subject_of


class Exchange(OpenIDConnectOAuth2Adapter):
    """One sign-in at one provider; `nonce` is what its ID token has to repeat."""

    nonce: str | None = None

    @property
    def openid_config(self) -> Any:
        """Return the provider's configuration, read once and checked."""
        return checked_configuration(super().openid_config, self.get_provider().app.settings["issuer"])

    def complete_login(self, request: HttpRequest, app: SocialApp, token: Any, **kwargs: Any) -> Any:
        """Return the sign-in that the ID token is evidence of; nothing else that the provider says is used."""
        configuration = self.openid_config
        with get_adapter().get_requests_session() as session:
            answer = session.get(configuration["jwks_uri"])
            answer.raise_for_status()
        subject = subject_of(
            kwargs["response"].get("id_token"),
            answer.json(),
            issuer=configuration["issuer"],
            client_id=app.client_id,
            nonce=self.nonce,
        )
        return self.get_provider().sociallogin_from_response(request, {"id_token": {"sub": subject}})


class Provider(OpenIDConnectProvider):
    """A provider of the node's settings: authorization code, PKCE (S256), nonce."""

    oauth2_adapter_class = Exchange
    package = "pellucid.site.accounts"

    def get_default_scope(self) -> list[str]:
        """Ask for an identity and nothing about the person."""
        return ["openid"]

    def extract_common_fields(self, data: Any) -> dict[str, Any]:
        """Take nothing of a person over from a provider."""
        return {}

    def extract_email_addresses(self, data: Any) -> list[Any]:
        """Take no addresses over from a provider: whom it may name is not its to say."""
        return []

    def get_redirect_from_request_kwargs(self, request: HttpRequest) -> dict[str, Any]:
        """Take from the request where it leads and what for, but nothing of what the provider is asked."""
        process = AuthProcess.CONNECT if request.POST.get("process") == "connect" else AuthProcess.LOGIN
        given = super().get_redirect_from_request_kwargs(request)
        return {"process": process, "next_url": given.get("next_url")}

    def redirect(
        self, request: HttpRequest, process: str, next_url: str | None = None, data: Any = None, **_more: Any
    ) -> HttpResponse:
        """Show where the person is going, and send them there.

        An answer of 200 with `Refresh`, not a redirect: a form that leads off this origin is against our own policy.
        """
        exchange = self.get_oauth2_adapter(request)
        proof, nonce = generate_code_challenge(), secrets.token_urlsafe(24)
        verifier = proof.pop("code_verifier")
        client = exchange.get_client(request, self.app)
        client.state = self.stash_redirect_state(
            request, process, next_url, data, pkce_code_verifier=verifier, nonce=nonce
        )
        away = client.get_redirect_url(exchange.authorize_url, self.get_scope(), {**proof, "nonce": nonce})
        answer = render(request, "socialaccount/login_redirect.html", {"provider": self, "redirect_to": away})
        answer.headers["Refresh"] = f"0; url={away}"
        return answer


class Return(OAuth2CallbackView):
    """Somebody comes back from a provider."""

    def _get_state(self, request: HttpRequest, provider: Any) -> Any:
        state, answer = super()._get_state(request, provider)
        self.adapter.nonce = (state or {}).get("nonce")
        return state, answer


def go(request: HttpRequest, provider_id: str) -> HttpResponse:
    """Send somebody to a provider, by POST; a GET shows the button for it."""
    return _answer(OAuth2LoginView, request, provider_id)


def come_back(request: HttpRequest, provider_id: str) -> HttpResponse:
    """Sign somebody in who comes back from a provider, or connect their account to it.

    As often as anybody may try to sign in: each return that does not hold is recorded, and that stays for ever.
    """
    refusal = ratelimit.consume_or_429(request, app="allauth.account", action="login", limit_get=True)
    return refusal or _answer(Return, request, provider_id)


def _answer(view: Any, request: HttpRequest, provider_id: str) -> HttpResponse:
    exchange = Exchange(request, provider_id)
    try:
        provider = exchange.get_provider()
    except SocialApp.DoesNotExist:
        raise Http404 from None
    try:
        answer: HttpResponse = view.adapter_view(exchange)(request)
    except (OAuth2Error, OSError):  # OSError: what requests raises derives from it
        get_adapter().on_authentication_error(request, provider)
        return render(request, "socialaccount/authentication_error.html", {"provider": provider}, status=401)
    return answer


provider_classes = [Provider]
