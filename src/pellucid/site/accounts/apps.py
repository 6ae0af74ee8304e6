"""The Django app of sign-in."""

from __future__ import annotations

from django.apps import AppConfig


class AccountsConfig(AppConfig):
    """What fits the sign-in library to this portal; it keeps no tables of its own."""

    name = "pellucid.site.accounts"
    label = "accounts"
    verbose_name = "Sign-in"

    def ready(self) -> None:
        """Have recorded what happens in the library alone."""
        from pellucid.site.accounts import recorded  # noqa: PLC0415 - models must be there first

        recorded.connect()
