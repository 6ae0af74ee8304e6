"""Addresses of the signing pages."""

from __future__ import annotations

from django.urls import URLPattern, path

from pellucid.signing.portal import key_views, views

urlpatterns: list[URLPattern] = [
    path("signing", views.signing, name="signing"),
    path("signing/new", views.bring, name="signing-new"),
    path("signing/withdraw", views.withdraw, name="signing-withdraw"),
    path("signing/<str:request_id>", views.one, name="signing-request"),
    path("signing/<str:request_id>/statement", views.statement, name="signing-statement"),
    path("signing/<str:request_id>/receipt", views.receipt, name="signing-receipt"),
    path("signing/<str:request_id>/decline", views.decline, name="signing-decline"),
    path("signing/<str:request_id>/submit", views.submit, name="signing-submit"),
    path("account/keys", key_views.keys, name="keys"),
    path("account/keys/challenges/<str:challenge_id>", key_views.challenge, name="key-challenge"),
    path("account/keys/challenges/<str:challenge_id>/file", key_views.challenge_file, name="key-challenge-file"),
    path("account/keys/<str:key>/retire", key_views.retire, name="key-retire"),
    path("operator/keys", key_views.everybody, name="operator-keys"),
]
