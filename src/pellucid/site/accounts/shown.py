"""What all pages of sign-in have: a page model, and who may open them."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable
from functools import wraps
from typing import Any
from urllib.parse import urlencode, urlsplit

from allauth.account.adapter import get_adapter
from allauth.account.internal.flows.reauthentication import is_reauthentication_required
from allauth.account.utils import get_next_redirect_url
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext as _

from pellucid.site.accounts.pages import AccountPage

Answerer = Callable[..., HttpResponseBase]


class Shown:
    """Gives a view of the library its page model; `heading` is the title, marked for translation."""

    heading = ""
    request: HttpRequest

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Return what the library shows, the page, and where it leads on to if that is a path of this node."""
        context: dict[str, Any] = super().get_context_data(**kwargs)  # type: ignore[misc]  # a view comes after it
        return {**context, "page": self.page(context), "next": get_next_redirect_url(self.request)}

    def page(self, context: dict[str, Any]) -> Any:
        """Return the page model."""
        return AccountPage(_(self.heading), timezone.now())


def confirmed(view: Answerer) -> Answerer:
    """Let somebody on who showed all factors in the last minutes; a form that was sent is not kept meanwhile."""

    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if not request.user.is_authenticated:
            return redirect_to_login(request.get_full_path())
        if not is_reauthentication_required(request, app="allauth.account"):
            return view(request, *args, **kwargs)
        way = get_adapter(request).get_reauthentication_methods(request.user)[0]["url"]
        return redirect(f"{way}?{urlencode({'next': request.path})}")

    return guarded


def who(request: HttpRequest) -> str:
    """Return the id of whom is signed in."""
    return str(request.user.pk)


def passkeys_work(request: HttpRequest) -> bool:
    """Tell whether browsers make passkeys for the address this was asked at: they do for names, not for numbers."""
    try:
        ipaddress.ip_address(urlsplit(f"//{request.get_host()}").hostname or "")
    except ValueError:
        return True
    return False
