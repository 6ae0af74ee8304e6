"""What the pages on products and releases show, and how it is put together from the facts."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import quote, urlencode

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop as noop
from django.utils.translation import ngettext

from pellucid.record.facts import Record, Views
from pellucid.release.portal import chain
from pellucid.release.portal.cards import DeltaCard, ReviewCard, SourceCard, delta_card, review_card, source_card
from pellucid.release.portal.claims import (
    PER_PAGE,
    Badge,
    Command,
    Link,
    Notice,
    Paging,
    Seat,
    Sentence,
    Speaker,
    State,
    Step,
    counted,
    not_proven,
    paging,
    seats,
    sentence,
    standing,
    stands,
    strong,
)
from pellucid.release.portal.command_lines import pack_line, verify_line
from pellucid.release.portal.coverage import coverage, reviews_of
from pellucid.release.portal.endings import doubled_notices, ended_notices
from pellucid.release.portal.seen import LogGlance, MirrorLine, log_glance, mirror_line
from pellucid.release.portal.speakers import author
from pellucid.release.predicate import Release
from pellucid.statement.reference import file_ref, release_ref, tree_ref

BASIS = noop(
    "Counted here is what is signed by reviewers and centers that this node knows as accredited. "
    "A verdict goes by your own policy."
)
MAX_OTHERS = 50


@dataclass(frozen=True, slots=True)
class ProductLine:
    """One product in the list."""

    product: str
    href: str
    releases: int
    latest_version: str
    latest_href: str
    latest_at: datetime | None


@dataclass(frozen=True, slots=True)
class ProductsPage:
    """Every product that has a release here."""

    as_of: datetime
    title: str
    matching: str
    known: Sentence
    products: tuple[ProductLine, ...]
    paging: Paging | None


@dataclass(frozen=True, slots=True)
class ReleaseLine:
    """One release in a product's list."""

    id: str
    version: str
    kind: str
    href: str
    logged_at: datetime | None
    files: int
    review: Badge
    badges: tuple[Badge, ...]


@dataclass(frozen=True, slots=True)
class ProductPage:
    """A product and its releases, newest logged first."""

    as_of: datetime
    title: str
    product: str
    known: Sentence
    notices: tuple[Notice, ...]
    releases: tuple[ReleaseLine, ...]
    paging: Paging | None
    basis: str


@dataclass(frozen=True, slots=True)
class ArtifactLine:
    """A file that ships."""

    name: str
    sha256: str
    size: int
    platform: str | None
    purl: str | None
    href: str
    verify: Command
    pack: Command


@dataclass(frozen=True, slots=True)
class OtherLine:
    """A statement about the files in a type that is not read here."""

    predicate_type: str
    href: str
    author: Speaker | None
    logged_at: datetime | None


@dataclass(frozen=True, slots=True)
class ReleasePage:
    """A release: what is known of it, the chain at a glance, a card per claim, who saw the log, what is not proven."""

    as_of: datetime
    title: str
    id: str
    href: str
    product: Link
    version: str
    kind: str
    previous: str | None
    author: Speaker | None
    known: Sentence
    basis: str
    notices: tuple[Notice, ...]
    chain: tuple[Step, ...]
    artifacts: tuple[ArtifactLine, ...]
    source: SourceCard | None
    reviews: tuple[ReviewCard, ...]
    deltas: tuple[DeltaCard, ...]
    others: tuple[OtherLine, ...]
    others_cut: int  # how many more there are
    seats: tuple[Seat, ...]
    logs: tuple[LogGlance, ...]
    mirrored_by: tuple[MirrorLine, ...]
    commands: tuple[Command, ...]
    not_proven: tuple[str, ...]

    @property
    def several(self) -> bool:
        """Whether it stands in more than one log."""
        return len(self.logs) > 1


@dataclass(frozen=True, slots=True)
class ChainLine:
    """A release and its chain at a glance, where another page shows it."""

    id: str
    title: str
    href: str
    known: Sentence
    chain: tuple[Step, ...]
    badges: tuple[Badge, ...]


def product_href(product: str) -> str:
    """Return the address of a product's page.

    A name that ends in `.json` gets a slash after it: without, the address would be that of a twin. In a name with
    `.` or `..` between slashes the slashes are escaped, since browsers would resolve them.
    """
    dotted = not {".", ".."}.isdisjoint(product.split("/"))
    return f"/products/{quote(product, safe='@:~!+' if dotted else '@:~!+/')}{'/' * product.endswith('.json')}"


def products_page(views: Views, moment: datetime, matching: str = "", start: int = 0) -> ProductsPage:
    """Build the list of products from the `start`th, all or those whose name holds `matching`."""
    total = views.product_total(matching=matching or None)
    lines = tuple(
        ProductLine(
            product=row.product,
            href=product_href(row.product),
            releases=row.releases,
            latest_version=row.latest_version,
            latest_href=f"/releases/{row.latest}",
            latest_at=row.latest_at,
        )
        for row in views.products(matching=matching or None, limit=PER_PAGE, offset=start)
    )
    address = f"/products?{urlencode({'q': matching})}" if matching else "/products"
    known = _products_sentence(total, matching)
    return ProductsPage(moment, _("Products"), matching, known, lines, paging(address, start, len(lines), total))


def product_page(views: Views, moment: datetime, product: str, start: int = 0) -> ProductPage | None:
    """Build a product's page with its releases from the `start`th newest; None if nothing here names it."""
    total = views.release_total(product)
    if not total:
        return None
    found = views.releases(product, limit=PER_PAGE, offset=start)
    records = [item for item in found if isinstance(item.model, Release)]
    ended = sum(not stands(item) for item in records)
    _read_ahead(records, views)
    doubled = {item.id: chain.doubles(item, views) for item in records}
    return ProductPage(
        as_of=moment,
        title=product,
        product=product,
        known=_product_sentence(product, total, ended),
        notices=doubled_notices(records, doubled),
        releases=tuple(_release_line(item, views, moment, doubled=bool(doubled[item.id])) for item in records),
        paging=paging(product_href(product), start, len(found), total),
        basis=_(BASIS),
    )


def _read_ahead(records: Iterable[Record], views: Views) -> None:
    """Ask at once what each line of a list asks, for views that remember their answers."""
    models: list[Release] = [item.model for item in records]
    trees = [tree_ref(model.source.sha256) for model in models if model.source is not None]
    places = [release_ref(model.product, model.version, file.name) for model in models for file in model.artifacts]
    for refs, kind in ((trees, "review"), (trees, "delta"), (places, "release")):
        views.about_each(tuple(dict.fromkeys(refs)), kind=kind)


def release_page(views: Views, moment: datetime, statement: str) -> ReleasePage | None:
    """Build a release's page; None if the statement is not known here or is no release."""
    record = views.statement(statement)
    if record is None or not isinstance(record.model, Release):
        return None
    release = record.model
    facts = chain.gather(record, release, views, moment)
    logs = tuple(log_glance(log) for log in facts.logs)
    reviews = [review_card(item, facts.coverage, views, moment) for item in facts.reviews]
    return ReleasePage(
        as_of=moment,
        title=f"{release.product} {release.version}",
        id=record.id,
        href=f"/releases/{record.id}",
        product=Link(release.product, product_href(release.product)),
        version=release.version,
        kind=release.kind.value,
        previous=release.previous,
        author=author(record, views),
        known=chain.known(facts, logs),
        basis=_(BASIS),
        notices=(*ended_notices(record), *doubled_notices([record], {record.id: facts.doubles})),
        chain=chain.steps(facts, logs),
        artifacts=_artifacts(record, release),
        source=source_card(release, record, views),
        reviews=tuple(sorted(reviews, key=lambda card: not card.counts)),
        deltas=tuple(delta_card(item, views) for item in facts.deltas),
        others=tuple(_other_line(item, views) for item in facts.others[:MAX_OTHERS]),
        others_cut=max(0, len(facts.others) - MAX_OTHERS),
        seats=seats(record),
        logs=logs,
        mirrored_by=tuple(mirror_line(item, known=True) for item in facts.mirrors),
        commands=_commands(release),
        not_proven=not_proven(),
    )


def _product_sentence(product: str, total: int, ended: int) -> Sentence:
    words = ngettext("Of {product}, {releases} is logged here", "Of {product}, {releases} are logged here", total)
    logged = sentence(words, product=strong(product), releases=strong(counted(total, "release")))
    if not ended:
        return sentence(_("{clause}."), clause=logged)
    standing = counted(ended, "of those shown, {n} no longer stands", "of those shown, {n} no longer stand")
    return sentence(_("{clause}; {more}."), clause=logged, more=standing)


def _products_sentence(number: int, matching: str) -> Sentence:
    if not number and matching:
        return sentence(
            _("No product with “{text}” in the name has a release in the logs that this node keeps."), text=matching
        )
    if not number:
        return sentence(_("No product has a release in the logs that this node keeps."))
    products = strong(counted(number, "product"))
    if matching:
        words = ngettext(
            "{products} with “{text}” in the name has releases in the logs that this node keeps.",
            "{products} with “{text}” in the name have releases in the logs that this node keeps.",
            number,
        )
        return sentence(words, products=products, text=matching)
    words = ngettext(
        "{products} has releases in the logs that this node keeps.",
        "{products} have releases in the logs that this node keeps.",
        number,
    )
    return sentence(words, products=products)


def _release_line(record: Record, views: Views, moment: datetime, *, doubled: bool) -> ReleaseLine:
    release: Release = record.model
    return ReleaseLine(
        id=record.id,
        version=release.version,
        kind=release.kind.value,
        href=f"/releases/{record.id}",
        logged_at=record.logged_at,
        files=len(release.artifacts),
        review=_review_badge(record, views, moment),
        badges=(*standing(record), *((Badge(State.FAILED, _("doubled")),) if doubled else ())),
    )


def _other_line(record: Record, views: Views) -> OtherLine:
    return OtherLine(record.predicate_type, f"/statements/{record.id}", author(record, views), record.logged_at)


def _review_badge(record: Record, views: Views, moment: datetime) -> Badge:
    release: Release = record.model
    if release.source is None:
        return Badge(State.UNKNOWN, _("no source named"))
    covered = coverage(release.source.sha256, views, moment)
    if any(chain.failed(item) for item in reviews_of(release.source.sha256, views)):
        return Badge(State.FAILED, _("a review did not pass it"))
    if not covered.bearing:
        return Badge(State.UNKNOWN, _("no review that counts"))
    if covered.lines:
        return Badge(State.ATTENTION, counted(covered.lines, "{n} line unread", "{n} lines unread"))
    if chain.in_house(record, covered):
        return Badge(State.ATTENTION, _("reviewed only by its own maker"))
    return Badge(State.GOOD, chain.reviewed_by(covered))


def _artifacts(record: Record, release: Release) -> tuple[ArtifactLine, ...]:
    lines = []
    for artifact, subject in zip(release.artifacts, record.subjects, strict=False):
        digest = next((ref.partition(":")[2] for ref in subject.refs if ref.startswith("sha256:")), "")
        lines.append(
            ArtifactLine(
                name=artifact.name,
                sha256=digest,
                size=artifact.size,
                platform=artifact.platform,
                purl=artifact.purl,
                href=f"/digest/{digest}",
                verify=Command(_("The verdict, offline"), verify_line(artifact.name)),
                pack=Command(_("Its evidence"), pack_line(artifact.name)),
            )
        )
    return tuple(lines)


def _commands(release: Release) -> tuple[Command, ...]:
    name = release.artifacts[0].name
    return (
        Command(_("1. Fetch what the nodes of your policy say about it, with proofs"), pack_line(name)),
        Command(_("2. The verdict under your own policy, without a network"), verify_line(name)),
    )


def chain_lines(records: Iterable[Record], views: Views, moment: datetime) -> tuple[ChainLine, ...]:
    """Return the chains of releases at a glance."""
    lines = []
    for record in records:
        if not isinstance(record.model, Release):
            continue
        facts = chain.gather(record, record.model, views, moment)
        logs = tuple(log_glance(log) for log in facts.logs)
        badges = (*standing(record), *((Badge(State.FAILED, _("doubled")),) if facts.doubles else ()))
        title = f"{record.model.product} {record.model.version}"
        lines.append(
            ChainLine(
                record.id, title, f"/releases/{record.id}", chain.known(facts, logs), chain.steps(facts, logs), badges
            )
        )
    return tuple(lines)


def artifact_releases(digest: str, views: Views) -> tuple[Record, ...]:
    """Return the releases that ship the file with this SHA-256."""
    return views.about(file_ref(digest), kind="release")
