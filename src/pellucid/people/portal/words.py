"""What a role is called, in the language of whoever reads."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from pellucid.people.roles import Role

ROLE_WORDS = {
    Role.OPERATOR: _("operator"),
    Role.VENDOR_CONTACT: _("vendor contact"),
    Role.REVIEWER: _("reviewer"),
    Role.ASSESSOR: _("assessor"),
    Role.ATTESTOR: _("attestor"),
    Role.RESEARCHER: _("researcher"),
}


def role_words(role: Role | str) -> str:
    """Return the role in words."""
    return str(ROLE_WORDS[Role(role)])
