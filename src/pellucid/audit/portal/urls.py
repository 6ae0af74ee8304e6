"""Addresses of the audit pages."""

from __future__ import annotations

from django.urls import URLPattern, path

from pellucid.audit.portal import views

urlpatterns: list[URLPattern] = [
    path("account/record", views.record, name="account-record"),
    path("account/record/proof", views.proof, name="account-record-proof"),
    path("audit", views.log, name="audit"),
    path("audit/<pseudonym:account>", views.of_account, name="audit-account"),  # a pseudonym is what people/ says it is
]
