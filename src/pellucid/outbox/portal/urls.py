"""Addresses of the outbox pages; whoever includes them passes `read`, which gives what feeds say of the logs."""

from __future__ import annotations

from django.urls import path

from pellucid.outbox.portal import views

urlpatterns = [
    path("account/notices", views.notices, name="notices"),
    path("account/notices/webhooks", views.add_webhook, name="add-webhook"),
    path("account/notices/webhooks/<str:webhook>/remove", views.remove_webhook, name="remove-webhook"),
    path("account/notices/webhooks/<str:webhook>/resume", views.resume_webhook, name="resume-webhook"),
    path("account/notices/feed", views.renew_feed, name="renew-feed"),
    path("account/notices/feed/end", views.end_feed, name="end-feed"),
    path("outbox", views.outbox, name="outbox"),
    path("outbox/<str:delivery>/again", views.again, name="deliver-again"),
    path("feed.atom", views.public_feed, name="feed"),
    path("feed/<str:token>.atom", views.personal_feed, name="personal-feed"),
]
