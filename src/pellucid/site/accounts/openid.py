"""OpenID Connect, as OpenID Connect Core 1.0 has it: who a provider says somebody is, and all that is held against it.

A provider stands in for the password and for nothing else: it makes no accounts, its claims of mail addresses are not
read, and whoever has a second factor here shows it.
"""

from __future__ import annotations

import hmac
import ipaddress
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import jwt
import requests
from allauth.core.exceptions import ImmediateHttpResponse
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from allauth.socialaccount.models import SocialApp
from allauth.socialaccount.providers.base import AuthError, AuthProcess
from allauth.socialaccount.providers.oauth2.client import OAuth2Error
from django.conf import settings
from django.http import HttpRequest
from django.shortcuts import redirect, render

from pellucid.errors import InputError
from pellucid.record.settings import SETTINGS_FILE, OpenId
from pellucid.site.accounts import recorded

ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA")
_ANSWER_LIMIT = 256 * 1024
_TIMEOUT = 5.0
_LEEWAY = 60
_DISCOVERY = "/.well-known/openid-configuration"


def is_private_way(url: str) -> bool:
    """Tell whether nobody on the way reads or changes what goes to `url`: HTTPS, or this machine itself."""
    parts = urlsplit(url)
    if parts.scheme == "https":
        return bool(parts.hostname)
    try:
        return parts.scheme == "http" and (
            parts.hostname == "localhost" or ipaddress.ip_address(parts.hostname or "").is_loopback
        )
    except ValueError:
        return False


def secret_of(provider: OpenId, home: Path | None) -> str:
    """Read the secret that a provider gave this node; InputError when there is none, or the way is not private."""
    where = f"{SETTINGS_FILE}, openid {provider.id}"
    if not is_private_way(provider.issuer):
        raise InputError("the issuer is not an https address", where=where, remedy="give the issuer's https address")
    try:
        secret = (home or Path()).joinpath(provider.secret_file).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        remedy = f"write the secret of this client to {provider.secret_file}, readable for the node alone"
        raise InputError("the secret cannot be read", where=where, remedy=remedy) from error
    if not secret:
        raise InputError("the file of the secret is empty", where=where, remedy="write the secret of this client to it")
    return secret


def check_providers() -> None:
    """Refuse to serve with providers that nobody could sign in by; InputError says which and why."""
    seen: set[str] = set()
    for provider in settings.OPENID:
        secret_of(provider, settings.NODE_HOME)
        if provider.id in seen:
            where = f"{SETTINGS_FILE}, openid {provider.id}"
            raise InputError("two providers have this id", where=where, remedy="give each an id of its own")
        seen.add(provider.id)


class OpenIdAdapter(DefaultSocialAccountAdapter):
    """Providers come from the node's settings; accounts come from invitations only."""

    def list_apps(self, request: HttpRequest, provider: Any = None, client_id: Any = None) -> list[SocialApp]:
        """Return the providers of the settings, or those of them that are asked for."""
        return [
            SocialApp(
                provider="openid_connect",
                provider_id=given.id,
                name=given.name,
                client_id=given.client_id,
                secret=secret_of(given, settings.NODE_HOME),
                settings={"server_url": given.issuer.rstrip("/") + _DISCOVERY, "issuer": given.issuer},
            )
            for given in settings.OPENID
            if provider in {None, "openid_connect", given.id} and client_id in {None, given.client_id}
        ]

    def is_open_for_signup(self, request: HttpRequest, sociallogin: Any) -> bool:
        """Nobody makes an account for themselves."""
        return False

    def pre_social_login(self, request: HttpRequest, sociallogin: Any) -> None:
        """Turn away whom no account here is connected to."""
        if sociallogin.state.get("process") != AuthProcess.CONNECT and not sociallogin.is_existing:
            recorded.refused("openid", None)
            raise ImmediateHttpResponse(render(request, "account/signup_closed.html", status=403))

    def on_authentication_error(self, request: HttpRequest, provider: Any, error: Any = None, **_more: Any) -> None:
        """Record that somebody came back with nothing that holds; whoever changed their mind starts anew."""
        if error == AuthError.CANCELLED:
            raise ImmediateHttpResponse(redirect("account_login"))
        recorded.refused("openid", None)

    def get_connect_redirect_url(self, request: HttpRequest, socialaccount: Any) -> str:
        """Return where connecting an account leads back to."""
        return "/account/2fa/"

    def get_requests_session(self) -> requests.Session:
        """Return what requests to providers are made with."""
        return BoundedSession()


class BoundedSession(requests.Session):
    """Follows no redirect, waits no longer than five seconds for the next bytes, and reads at most 256 KiB."""

    def request(self, method: str, url: str | bytes, *args: Any, **kwargs: Any) -> requests.Response:
        """Make one request; RequestException when it cannot be, or the answer is too long."""
        kwargs |= {"timeout": _TIMEOUT, "allow_redirects": False, "stream": True}
        response = super().request(method, url, *args, **kwargs)
        body = b""
        for piece in response.iter_content(16_384):
            body += piece
            if len(body) > _ANSWER_LIMIT:
                raise requests.RequestException("the answer is too long")
        response._content = body  # noqa: SLF001 - so that all that reads a response reads what was read here
        return response


def checked_configuration(configuration: Any, issuer: str) -> Mapping[str, Any]:
    """Return a provider's configuration if it is of `issuer` and leads nowhere in the open; OAuth2Error if not."""
    if not isinstance(configuration, Mapping) or configuration.get("issuer") != issuer:
        raise OAuth2Error("the configuration is of another issuer")
    for name in ("authorization_endpoint", "token_endpoint", "jwks_uri"):
        if not isinstance(configuration.get(name), str) or not is_private_way(configuration[name]):
            raise OAuth2Error(f"{name} is missing, or no https address")
    return configuration


def subject_of(token: Any, keys: Any, *, issuer: str, client_id: str, nonce: str | None) -> str:
    """Return whom an ID token is about, after the checks of OpenID Connect Core 1.0 §3.1.3.7.

    `keys` is the provider's JWK set, as parsed JSON. OAuth2Error for a token that is signed by no key of it, is of
    another issuer, for another client, not for this sign-in (`nonce`), or too old.
    """
    try:
        header = jwt.get_unverified_header(token)
        known = [key for key in jwt.PyJWKSet.from_dict(keys).keys if header.get("kid") in {None, key.key_id}]
        if header.get("alg") not in ALGORITHMS or len(known) != 1:
            raise OAuth2Error("the token names no key or algorithm that is taken")
        claims: dict[str, Any] = jwt.decode(
            token,
            known[0].key,
            algorithms=[header["alg"]],
            audience=client_id,
            issuer=issuer,
            leeway=_LEEWAY,
            options={"require": ["exp", "iat", "iss", "aud", "sub"]},
        )
    except (jwt.PyJWTError, AttributeError, KeyError, TypeError, ValueError) as error:
        raise OAuth2Error("the token does not hold") from error
    several = isinstance(claims["aud"], list) and len(claims["aud"]) > 1
    if claims.get("azp", None if several else client_id) != client_id:
        raise OAuth2Error("the token is for another client")
    if not nonce or not hmac.compare_digest(str(claims.get("nonce", "")).encode(), nonce.encode()):
        raise OAuth2Error("the token is not for this sign-in")
    subject = claims["sub"]
    if not isinstance(subject, str) or not 0 < len(subject) <= 191:
        raise OAuth2Error("the token is about nobody that can be kept")
    return subject
