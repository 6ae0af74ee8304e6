"""What `/design` shows: each token, component and state, made as the pages make them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from pellucid.release.portal.claims import Badge, Command, Link, Notice, Paging, Sentence, State, Step, sentence, strong
from pellucid.release.portal.terms import term
from pellucid.site.charts import Bars, Event, Lane, Series, Spark, Timeline, week_labels

SURFACES = ("paper", "surface", "sunken", "line", "edge")
INKS = ("ink", "soft", "accent", "good", "attention", "failed", "unknown")
FIGURES = ("accent", "figure-2", "figure-3", "figure-4")
WEEKS = 12
SHIPPED = (3, 5, 2, 4, 0, 6, 3, 3, 7, 2, 4, 5)
READ = (1, 0, 2, 1, 0, 0, 3, 1, 0, 2, 1, 1)


class SampleForm(forms.Form):
    """One field of each sort that pages ask for."""

    name = forms.CharField(label=gettext_lazy("Name"), max_length=200)
    email = forms.EmailField(label=gettext_lazy("E-mail address"), help_text=gettext_lazy("Only operators see it."))
    role = forms.ChoiceField(
        label=gettext_lazy("Role"),
        choices=[("reviewer", gettext_lazy("Reviewer")), ("assessor", gettext_lazy("Assessor"))],
    )
    reason = forms.CharField(
        label=gettext_lazy("Reason"), widget=forms.Textarea(attrs={"rows": 3}), min_length=10, max_length=500,
        help_text=gettext_lazy("At least 10 characters; it can be erased later."),
    )  # fmt: skip
    custody = forms.ChoiceField(
        label=gettext_lazy("Where the key lies"), widget=forms.RadioSelect,
        choices=[("file", gettext_lazy("In a file, for the command line")),
                 ("browser", gettext_lazy("In this browser"))],
    )  # fmt: skip
    days = forms.IntegerField(label=gettext_lazy("Days"), required=False, min_value=1, max_value=365)
    read = forms.BooleanField(label=gettext_lazy("I have read the whole statement"))


@dataclass(frozen=True, slots=True)
class Swatch:
    """A colour by its name."""

    name: str


@dataclass(frozen=True, slots=True)
class Sheet:
    """Everything that the page shows."""

    as_of: datetime
    states: tuple[State, ...]
    surfaces: tuple[Swatch, ...]
    inks: tuple[Swatch, ...]
    figures: tuple[Swatch, ...]
    badges: tuple[Badge, ...]
    notices: tuple[Notice, ...]
    chain: tuple[Step, ...]
    known: Sentence
    command: Command
    digest: str
    bars: Bars
    spark: Spark
    timeline: Timeline
    paging: Paging
    form: SampleForm
    wrong: SampleForm


def sheet(moment: datetime) -> Sheet:
    """Make the samples."""
    return Sheet(
        as_of=moment,
        states=tuple(State),
        surfaces=tuple(map(Swatch, SURFACES)),
        inks=tuple(map(Swatch, INKS)),
        figures=tuple(map(Swatch, FIGURES)),
        badges=_badges(),
        notices=tuple(Notice(badge.state, badge.text, _("What it means, and what to do.")) for badge in _badges()),
        chain=_chain(),
        known=sentence(
            _("A sentence says what is known: {strong}, by whom and until when."), strong=strong(_("what was read"))
        ),
        command=Command(_("A line to run oneself"), "pellucid verify FILE --pack FILE.evidence.json"),
        digest="9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
        bars=_bars(moment),
        spark=_spark(moment),
        timeline=_timeline(moment),
        paging=Paging("51 … 100 / 204", Link(_("Previous"), "#paging"), Link(_("Next"), "#paging")),
        form=SampleForm(prefix="sample", initial={"name": "Rita Reviewer", "role": "reviewer", "custody": "file"}),
        wrong=SampleForm({"wrong-email": "rita", "wrong-reason": "short", "wrong-days": "900"}, prefix="wrong"),
    )


def _badges() -> tuple[Badge, ...]:
    words = {
        State.GOOD: _("passed the criteria"),
        State.ATTENTION: _("1,204 lines unread"),
        State.FAILED: _("withdrawn by its author"),
        State.UNKNOWN: _("nobody has logged one"),
    }
    return tuple(Badge(state, text) for state, text in words.items())


def _chain() -> tuple[Step, ...]:
    names = (_("Source"), _("Review"), _("Rebuild"), _("Log"), _("Centers"))
    states = (State.GOOD, State.ATTENTION, State.UNKNOWN, State.FAILED, State.GOOD)
    return tuple(Step(name, state, term(state.value), None) for name, state in zip(names, states, strict=True))


def _bars(moment: datetime) -> Bars:
    series = (Series(_("releases"), SHIPPED), Series(_("reviews"), READ))
    labels = week_labels(moment.date() - timedelta(weeks=WEEKS), WEEKS)
    desc = _("Twelve weeks of made-up figures.")
    return Bars("sample-bars", _("Shipped and looked at, by week"), desc, _("Week from"), labels, series)


def _spark(moment: datetime) -> Spark:
    labels = week_labels(moment.date() - timedelta(weeks=WEEKS), WEEKS)
    series = (Series(_("releases"), SHIPPED),)
    return Spark("sample-spark", _("Releases, by week"), _("Twelve weeks of made-up figures."), _("Week from"),
                 labels, series)  # fmt: skip


def _timeline(moment: datetime) -> Timeline:
    def on(days: int, name: str, state: State, words: str) -> Event:
        return Event(moment - timedelta(days=days), name, state.value, words)

    releases = (on(80, "1.0", State.GOOD, ""), on(41, "1.1", State.ATTENTION, ""), on(3, "1.2", State.UNKNOWN, ""))
    reviews = (on(70, "1.0", State.GOOD, ""), on(30, "1.1", State.FAILED, ""))
    lanes = (Lane(_("Releases"), releases), Lane(_("Reviews"), reviews))
    start = moment - timedelta(days=90)
    return Timeline("sample-timeline", _("What happened when"), _("Made-up events."), start, moment, lanes)
