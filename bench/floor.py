"""Django's own floor: a one-line view behind the very middleware of the portal, for `bench.portal`."""

from __future__ import annotations

import os
import sys
from types import ModuleType

os.environ["DJANGO_SETTINGS_MODULE"] = "bench.floor_settings"

from django.core.wsgi import get_wsgi_application
from django.http import HttpRequest, HttpResponse
from django.urls import path


def one_line(_request: HttpRequest, **_path: str) -> HttpResponse:
    """Answer with one line."""
    return HttpResponse("one line\n", content_type="text/plain")


urls = ModuleType("bench.floor_urls")
urls.urlpatterns = [path("<path:anything>", one_line), path("", one_line)]  # type: ignore[attr-defined]
sys.modules[urls.__name__] = urls

application = get_wsgi_application()
