"""What people may change of how they are told."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from pellucid.errors import InputError
from pellucid.outbox.addresses import URL_LIMIT, read_target
from pellucid.outbox.channel import Mode
from pellucid.outbox.notice import ALWAYS_TOLD, NoticeKind
from pellucid.outbox.portal.models import Preferences
from pellucid.outbox.portal.texts import KIND_NAMES, LANGUAGES
from pellucid.outbox.schedule import zones

MODES = (
    (Mode.AT_ONCE.value, _("Mail at once")),
    (Mode.DAILY.value, _("One mail a day")),
    (Mode.OFF.value, _("No mail")),
)
CHOSEN = tuple(kind for kind in NoticeKind if kind not in ALWAYS_TOLD)


class WishesForm(forms.Form):
    """When a person wants mail about what, and the hours and language of it."""

    zone = forms.ChoiceField(label=_("Time zone"), help_text=_("Quiet hours and the daily mail go by its clock."))
    quiet_from = forms.TimeField(
        label=_("Quiet from"), required=False, widget=forms.TimeInput(attrs={"type": "time"}, format="%H:%M")
    )
    quiet_until = forms.TimeField(
        label=_("Quiet until"),
        required=False,
        widget=forms.TimeInput(attrs={"type": "time"}, format="%H:%M"),
        help_text=_("No mail between the two; what comes then waits. Leave both empty for none."),
    )
    daily_at = forms.TimeField(label=_("Daily mail at"), widget=forms.TimeInput(attrs={"type": "time"}, format="%H:%M"))
    language = forms.ChoiceField(label=_("Language of mails"), choices=LANGUAGES)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        zone = self.fields["zone"]
        if isinstance(zone, forms.ChoiceField):
            zone.choices = [(name, name) for name in sorted(zones())]
        for kind in CHOSEN:
            self.fields[kind.value] = forms.ChoiceField(label=KIND_NAMES[kind], choices=MODES)
        if len(LANGUAGES) == 1:
            del self.fields["language"]
        self.order_fields([kind.value for kind in CHOSEN])

    def clean(self) -> dict[str, Any]:
        """Refuse half a span of quiet hours."""
        found = super().clean() or {}
        start, end = found.get("quiet_from"), found.get("quiet_until")
        if (start is None) != (end is None):
            self.add_error("quiet_until", _("Give both ends of the quiet hours, or neither."))
        return found

    def keep(self, preferences: Preferences) -> None:
        """Write what was chosen; the form is valid."""
        chosen = self.cleaned_data
        preferences.zone, preferences.language = chosen["zone"], chosen.get("language", LANGUAGES[0][0])
        preferences.quiet_from, preferences.quiet_until = chosen["quiet_from"], chosen["quiet_until"]
        preferences.daily_at = chosen["daily_at"]
        preferences.modes = {kind.value: chosen[kind.value] for kind in CHOSEN}
        preferences.save()

    @classmethod
    def of(cls, preferences: Preferences) -> WishesForm:
        """Return the form as it stands now."""
        modes = {kind.value: preferences.modes.get(kind.value, Mode.AT_ONCE.value) for kind in CHOSEN}
        names = ("zone", "quiet_from", "quiet_until", "daily_at", "language")
        return cls(initial={**{name: getattr(preferences, name) for name in names}, **modes})


class WebhookForm(forms.Form):
    """A new webhook."""

    url = forms.CharField(
        label=_("Address"),
        max_length=URL_LIMIT,
        help_text=_("https://…, reachable by everybody. Each call is signed by this node's key."),
        widget=forms.TextInput(attrs={"inputmode": "url", "autocomplete": "off", "spellcheck": "false"}),
    )
    kinds = forms.MultipleChoiceField(
        label=_("Kinds of notices"),
        required=False,
        choices=[(kind.value, KIND_NAMES[kind]) for kind in NoticeKind if kind is not NoticeKind.INVITATION],
        widget=forms.CheckboxSelectMultiple,
        help_text=_("None ticked: all."),
    )

    def clean_url(self) -> str:
        """Refuse what is no address for a webhook; where it leads is looked at when it is called."""
        url: str = self.cleaned_data["url"].strip()
        try:
            read_target(url)
        except InputError as error:
            raise forms.ValidationError(
                _("This address cannot be called: %(what)s."), params={"what": error.what}
            ) from None
        return url
