"""Starting a job by hand: one field for each of its arguments."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext as _

from pellucid.jobs.port import Offer
from pellucid.jobs.portal.pages import SUMMARIES

_LONGEST = 200


class StartForm(forms.Form):
    """The arguments of one kind of job; `name` and `summary` head it."""

    def __init__(self, offer: Offer, data: Any = None) -> None:
        super().__init__(data, prefix=offer.name)
        self.name = offer.name
        self.summary = _(SUMMARIES.get(offer.name, offer.summary))
        for argument, need in offer.arguments.items():
            self.fields[argument] = forms.CharField(max_length=_LONGEST, required=need == "required", label=argument)

    def arguments(self) -> dict[str, str]:
        """Return what was given, without what was left empty."""
        return {name: value for name, value in self.cleaned_data.items() if value}
