"""Addresses of the people pages."""

from __future__ import annotations

from django.urls import path, register_converter

from pellucid.people.portal import account, operator, views


class Pseudonym:
    """32 hexadecimal digits that stand for a person, an organisation, or an invitation."""

    regex = "[0-9a-f]{32}"

    def to_python(self, value: str) -> str:
        """Return what a view takes."""
        return value

    def to_url(self, value: str) -> str:
        """Return what stands in an address."""
        return value


register_converter(Pseudonym, "pseudonym")

urlpatterns = [
    path("account", account.own, name="account"),
    path("join/<pseudonym:address>", account.join, name="join"),
    path("operator/session", operator.session, name="operator-session"),
    path("operator/session/end", operator.end, name="operator-session-end"),
    path("operator/sessions", operator.sessions_list, name="operator-sessions"),
    path("people", views.people, name="people"),
    path("people/invite", views.invite, name="people-invite"),
    path("people/<pseudonym:person>", views.person, name="person"),
    path("people/<pseudonym:person>/roles", views.grant, name="person-grant"),
    path("people/<pseudonym:person>/roles/<int:grant>/end", views.end_grant, name="person-grant-end"),
    path("people/<pseudonym:person>/invite", views.invite_again, name="person-invite"),
    path("people/<pseudonym:person>/invite/end", views.end_invitations, name="person-invite-end"),
    path("people/<pseudonym:person>/sessions/end", views.end_sessions, name="person-sessions-end"),
    path("people/<pseudonym:person>/erase", views.erase, name="person-erase"),
    path("organisations", views.organisations, name="organisations"),
    path("organisations/<pseudonym:organisation>/erase", views.erase_organisation, name="organisation-erase"),
]
