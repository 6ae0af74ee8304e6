"""What people type into the pages of people: every field with its bound and its message."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from typing import TYPE_CHECKING

from django import forms
from django.contrib.auth import password_validation
from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from pellucid.people.codes import LONGEST_TYPED
from pellucid.people.operator_session import DEFAULT_MINUTES, LONGEST_REASON, MINUTES, SHORTEST_REASON
from pellucid.people.portal.models import Account
from pellucid.people.portal.words import role_words
from pellucid.people.roles import Role

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

_LONGEST_PASSWORD = 200
_JOINERS = {0x200C: None, 0x200D: None}
_LONGEST_ROLE = timedelta(days=366 * 5)


class SessionForm(forms.Form):
    """Why an operator session is opened, and for how long."""

    reason = forms.CharField(
        label=_("Reason"),
        help_text=_("What you are about to do and why, in at least 10 characters. Other operators read it."),
        min_length=SHORTEST_REASON,
        max_length=LONGEST_REASON,
        widget=forms.Textarea(attrs={"rows": 3}),
    )
    minutes = forms.TypedChoiceField(
        label=_("Ends after"),
        choices=[(minutes, _("%(minutes)d minutes") % {"minutes": minutes}) for minutes in MINUTES],
        coerce=int,
        initial=DEFAULT_MINUTES,
    )


class _UntilField(forms.DateField):
    """A day in UTC at whose end something stops; empty: it goes on."""

    def __init__(self, label: StrOrPromise) -> None:
        widget = forms.DateInput(attrs={"type": "date"})
        super().__init__(label=label, required=False, widget=widget, input_formats=["%Y-%m-%d"])

    def clean(self, value: object) -> datetime | None:
        """Return the end of the day; ValidationError for one that is over or years away."""
        day = super().clean(value)
        if day is None:
            return None
        end = datetime.combine(day, time(23, 59, 59), tzinfo=UTC)
        if not timezone.now() < end < timezone.now() + _LONGEST_ROLE:
            raise ValidationError(_("Give a day from today on, at most five years away."))
        return end


def _roles() -> list[tuple[str, StrOrPromise]]:
    return [(role.value, role_words(role)) for role in Role if role is not Role.OPERATOR]


def _one_line(text: str) -> None:
    """Refuse what cannot be seen or begins a new line; joiners are letters' own in some scripts."""
    if not text.translate(_JOINERS).isprintable():
        raise ValidationError(_("Write it in one line, in letters that can be seen."))


class GrantForm(forms.Form):
    """A role for somebody who is here."""

    role = forms.ChoiceField(label=_("Role"), choices=lambda: [("", _("Choose one")), *_roles()])
    until = _UntilField(label=_("Until the end of"))


class InviteForm(forms.Form):
    """Who is invited, in which roles."""

    email = forms.EmailField(label=_("Mail address"), max_length=254)
    organisation = forms.CharField(label=_("Organisation"), max_length=200, required=False, validators=[_one_line])
    roles = forms.MultipleChoiceField(
        label=_("Roles"), choices=_roles, widget=forms.CheckboxSelectMultiple, required=False
    )
    until = _UntilField(label=_("Roles until the end of"))


class NameForm(forms.Form):
    """What somebody is called."""

    name = forms.CharField(
        label=_("Name"),
        max_length=200,
        validators=[_one_line],
        widget=forms.TextInput(attrs={"autocomplete": "name"}),
    )


class EraseForm(forms.Form):
    """That somebody means it."""

    sure = forms.BooleanField(label=_("Erase this for good"))


class JoinForm(forms.Form):
    """What an invited person brings: the code, and a password of their own."""

    code = forms.CharField(
        label=_("Code"),
        help_text=_("The 8 groups of 5 digits that whoever invited you told you, by another way than this link."),
        max_length=LONGEST_TYPED,
        widget=forms.TextInput(attrs={"autocomplete": "one-time-code", "inputmode": "numeric"}),
    )
    name = forms.CharField(
        label=_("Your name"),
        max_length=200,
        validators=[_one_line],
        widget=forms.TextInput(attrs={"autocomplete": "name"}),
    )
    password = forms.CharField(
        label=_("A password"),
        help_text=_("At least 12 characters; length counts more than signs."),
        max_length=_LONGEST_PASSWORD,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )
    again = forms.CharField(
        label=_("The password again"),
        max_length=_LONGEST_PASSWORD,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )

    def __init__(self, account: Account, *args: object, **options: object) -> None:
        super().__init__(*args, **options)  # type: ignore[arg-type]
        self._account = account

    def clean(self) -> dict[str, object]:
        """Hold the two passwords against each other and against the rules."""
        values = super().clean() or {}
        password = values.get("password")
        if password and values.get("again") and password != values["again"]:
            self.add_error("again", _("The two passwords differ."))
        elif password:
            try:
                password_validation.validate_password(str(password), self._account)
            except ValidationError as error:
                self.add_error("password", error)
        return values
