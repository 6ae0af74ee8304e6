"""The four questions that lead through the portal, each with its answer at a glance."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils.translation import gettext as _

from pellucid.record.facts import Views
from pellucid.release.portal.claims import Sentence, counted, sentence, strong
from pellucid.release.predicate import Release
from pellucid.site.charts import Series, Spark, week_labels, weekly

WEEKS = 26


@dataclass(frozen=True, slots=True)
class Question:
    """A question, where it is answered, and the answer in a sentence."""

    name: str
    href: str
    answer: Sentence
    figures: Spark | None


def questions(views: Views, moment: datetime) -> tuple[Question, ...]:
    """Return the questions with what this node knows of each."""
    first = moment.date() - timedelta(days=7 * WEEKS - 1)
    days = views.activity(datetime(first.year, first.month, first.day, tzinfo=moment.tzinfo), ("release", "review"))
    labels, unit = week_labels(first, WEEKS), _("Week from")

    def spark(name: str, kind: str, title: str) -> Spark | None:
        values = weekly(days, kind, first, WEEKS)
        desc = _("{number} in {weeks} weeks.").format(number=sum(values), weeks=WEEKS)
        return Spark(name, title, desc, unit, labels, (Series(title, values),)) if any(values) else None

    return (
        Question(_("What did they ship?"), "/products", _shipped(views),
                 spark("shipped", "release", _("Releases by week"))),
        Question(_("Who looked?"), "/reviews", _looked(views), spark("looked", "review", _("Reviews by week"))),
        Question(_("What is open?"), "/open", _open(views), None),
        Question(_("How do I check?"), "/check",
                 sentence(_("Hash a file on your own machine; nothing is uploaded.")), None),
    )  # fmt: skip


def _shipped(views: Views) -> Sentence:
    total = views.counts().get("release", 0)
    if not total:
        return sentence(_("No release is logged here yet."))
    newest = next((item for item in views.of_kind("release", limit=1) if isinstance(item.model, Release)), None)
    releases = strong(counted(total, "release"))
    products = counted(views.product_total(), "product")
    if newest is None:
        return sentence(_("{releases} of {products}."), releases=releases, products=products)
    name = f"{newest.model.product} {newest.model.version}"
    return sentence(_("{releases} of {products}, last {name}."), releases=releases, products=products, name=name)


def _looked(views: Views) -> Sentence:
    total = views.counts().get("review", 0)
    watching = counted(sum(peer.witnesses_us for peer in views.peers()), "other node")
    if not total:
        return sentence(_("Nobody has logged a review; {nodes} saw the log."), nodes=watching)
    return sentence(
        _("{reviews} by {parties}; {nodes} saw the log."),
        reviews=strong(counted(total, "review")),
        parties=counted(len(views.authors("review")), "party", "parties"),
        nodes=watching,
    )


def _open(views: Views) -> Sentence:
    alarms = len(views.alarms())
    if not alarms:
        return sentence(_("No alarm is up. See what nobody has read, and what ends soon."))
    up = strong(counted(alarms, "{n} alarm is up", "{n} alarms are up"))
    return sentence(_("{alarms}. See also what nobody has read, and what ends soon."), alarms=up)
