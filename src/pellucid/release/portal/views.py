"""The product and release pages: each reads a page model and prints it."""

from __future__ import annotations

from collections.abc import Callable

from django.http import Http404, HttpRequest
from django.template.response import TemplateResponse
from django.views.decorators.http import require_safe

from pellucid.record.facts import Views
from pellucid.release.portal import pages
from pellucid.release.portal.claims import now

Read = Callable[[], Views]


def start_of(request: HttpRequest) -> int:
    """Return where a list starts, from `?from=N`; what is no whole number counts as the first."""
    text = request.GET.get("from", "")
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= 9 else 0


@require_safe
def products(request: HttpRequest, read: Read) -> TemplateResponse:
    """List every product; `?q=` narrows by name, `?from=N` pages."""
    matching = request.GET.get("q", "").strip()[:200]
    page = pages.products_page(read(), now(), matching, start_of(request))
    return TemplateResponse(request, "release_portal/products.html", {"page": page})


@require_safe
def product(request: HttpRequest, product: str, read: Read) -> TemplateResponse:
    """Show a product and its releases; a slash after its name only keeps `.json` from being the twin's."""
    page = pages.product_page(read(), now(), product.removesuffix("/"), start_of(request))
    if page is None:
        raise Http404
    return TemplateResponse(request, "release_portal/product.html", {"page": page})


@require_safe
def release(request: HttpRequest, statement: str, read: Read) -> TemplateResponse:
    """Show a release and its chain of evidence."""
    page = pages.release_page(read(), now(), statement)
    if page is None:
        raise Http404
    return TemplateResponse(request, "release_portal/release.html", {"page": page})
