"""The portal's addresses; each page also answers at its address with `.json` after it."""

from __future__ import annotations

from django.urls import include, path, register_converter

from pellucid.site import current, language, views
from pellucid.site.api import api
from pellucid.site.converters import Hex64

register_converter(Hex64, "hex64")

urlpatterns = [
    path("api/", api.urls),
    path("", views.home, name="home"),
    path("log", views.log, name="log"),
    path("logs/<hex64:log_id>", views.log, name="log-of"),
    path("logs/<hex64:log_id>/entries/<int:index>", views.entry, name="entry"),
    path("logs/<hex64:log_id>/proof", views.proof, name="proof"),
    path("statements/<hex64:statement>", views.statement, name="statement"),
    path("nodes", views.nodes, name="nodes"),
    path("parties/<hex64:key>", views.party, name="party"),
    path("reviews", views.reviews, name="reviews"),
    path("open", views.open_ends, name="open"),
    path("check", views.check, name="check"),
    path("design", views.design, name="design"),
    path("digest/<hex64:digest>", views.digest, name="digest"),
    path("search", views.search, name="search"),
    path("language", language.set_language, name="language"),
    path("", include("pellucid.release.portal.urls"), {"read": current.views}),
    path("", include("pellucid.people.portal.urls")),
    path("", include("pellucid.signing.portal.urls")),
    path("", include("pellucid.audit.portal.urls")),
    path("", include("pellucid.jobs.portal.urls")),
    path("", include("pellucid.outbox.portal.urls"), {"read": current.views}),
    path("account/", include("pellucid.site.accounts.urls")),
]

handler400 = "pellucid.site.views.bad_request"
handler403 = "pellucid.site.views.forbidden"
handler404 = "pellucid.site.views.not_found"
handler500 = "pellucid.site.views.broken"
