"""What is answered to somebody who is signed in is for nobody else: no cache keeps it."""

from __future__ import annotations

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponseBase
from django.utils.cache import add_never_cache_headers

Next = Callable[[HttpRequest], HttpResponseBase]


def personal_answers(get_response: Next) -> Next:
    """Keep every answer to a request with a session out of caches, unless its view says otherwise."""

    def middleware(request: HttpRequest) -> HttpResponseBase:
        response = get_response(request)
        if settings.SESSION_COOKIE_NAME in request.COOKIES and not response.has_header("Cache-Control"):
            add_never_cache_headers(response)
        return response

    return middleware
