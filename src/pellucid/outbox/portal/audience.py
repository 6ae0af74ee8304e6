"""Who is told: accounts by what they may do."""

from __future__ import annotations

from django.db.models import Q
from django.utils import timezone

from pellucid.people.permissions import GRANTS, Permission
from pellucid.people.portal.models import RoleGrant


def holders(permission: Permission) -> frozenset[str]:
    """Return the ids of the active accounts that hold a permission now, in a session or not."""
    roles = [role.value for role, allowed in GRANTS.items() if permission in allowed]
    held = RoleGrant.objects.filter(
        Q(expires_at=None) | Q(expires_at__gt=timezone.now()),
        role__in=roles,
        ended_at=None,
        account__is_active=True,
    )
    return frozenset(held.values_list("account_id", flat=True))
