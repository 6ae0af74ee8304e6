"""Addresses of the product and release pages; whoever includes them passes `read`, which gives what pages read."""

from __future__ import annotations

from django.urls import path

from pellucid.release.portal import views

urlpatterns = [
    path("products", views.products, name="products"),
    path("products/<path:product>", views.product, name="product"),
    path("releases/<str:statement>", views.release, name="release"),
]
