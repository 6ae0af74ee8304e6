"""The pages that answer a question: what is said about a digest, what a search finds, who a key is."""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop as noop
from django.utils.translation import ngettext

from pellucid.record.facts import Ending, KeyFact, PartyFact, Record, Views
from pellucid.release.portal.claims import (
    Command,
    Link,
    Notice,
    Paging,
    Sentence,
    State,
    counted,
    key_name,
    listed,
    not_proven,
    sentence,
    strong,
)
from pellucid.release.portal.endings import release_name
from pellucid.release.portal.pages import ChainLine, ProductLine, artifact_releases, chain_lines, products_page
from pellucid.release.portal.seen import LogGlance, log_glance
from pellucid.release.portal.speakers import introduce
from pellucid.release.portal.terms import term
from pellucid.site.finding import NodeFound, PartyFound, find_nodes, find_parties
from pellucid.site.pages import MAX_LINES, StatementLine, StatementList, listed_lines, statement_line

CHAINS = 5
THIS_KEY = {Ending.RETIRED: noop("This key is retired"), Ending.COMPROMISED: noop("This key is compromised")}
WHAT_STANDS = {
    Ending.RETIRED: noop("What it had logged before still stands."),
    Ending.COMPROMISED: noop("What it logged afterwards is void."),
}


@dataclass(frozen=True, slots=True)
class DigestPage:
    """What is said here about one digest."""

    as_of: datetime
    title: str
    digest: str
    headline: str
    known: Sentence
    state: State
    notices: tuple[Notice, ...]
    releases: tuple[ChainLine, ...]
    more_releases: StatementList
    statements: StatementList
    referring: StatementList
    logs: tuple[LogGlance, ...]
    commands: tuple[Command, ...]
    not_proven: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SearchPage:
    """What a search found."""

    as_of: datetime
    title: str
    query: str
    known: Sentence
    products: tuple[ProductLine, ...]
    paging: Paging | None
    parties: tuple[PartyFound, ...]
    nodes: tuple[NodeFound, ...]
    statements: StatementList


@dataclass(frozen=True, slots=True)
class PartyPage:
    """A key that speaks: who says that it may, and what it said."""

    as_of: datetime
    title: str
    key: str
    name: str | None
    affiliation: str | None
    known: Sentence
    notices: tuple[Notice, ...]
    is_node: bool
    accreditations: tuple[StatementLine, ...]
    statements: StatementList


def digest_page(views: Views, moment: datetime, digest: str) -> DigestPage:
    """Build the page on a digest: of a file, a source tree, a statement or a key."""
    refs = [f"{kind}:{digest}" for kind in ("sha256", "gitTree")]
    most = MAX_LINES + 1
    about = {item.id: item for ref in refs for item in views.about(ref, limit=most)}
    named = (*refs, f"statement:{digest}", f"key:{digest}")
    naming = {item.id: item for ref in named for item in views.referring(ref, limit=most)}
    releases = {item.id: item for item in artifact_releases(digest, views)}
    made_from = views.referring(f"gitTree:{digest}", kind="release", limit=most)
    chains = chain_lines(tuple(releases.values())[:CHAINS], views, moment)
    answer = _Answer(chains, len(releases), about.keys() | naming.keys(), views.statement(digest), made_from)
    state, headline, known = answer.words()
    return DigestPage(
        as_of=moment,
        title=_("Digest {digest}").format(digest=f"{digest[:12]}…"),
        digest=digest,
        headline=headline,
        known=known,
        state=state,
        notices=_digest_notices(tuple(releases.values())),
        releases=chains,
        more_releases=listed_lines(tuple(releases.values())[CHAINS:], views),
        statements=listed_lines(tuple(item for item in about.values() if item.id not in releases), views),
        referring=listed_lines(tuple(item for item in naming.values() if item.id not in about), views),
        logs=tuple(log_glance(log) for log in views.logs()),
        commands=(_digest_command(digest, is_tree=bool(made_from)),),
        not_proven=not_proven(),
    )


def _digest_command(digest: str, *, is_tree: bool) -> Command:
    if is_tree:
        return Command(_("Recompute it from a folder, an archive or a repository"), "pellucid source tree SOURCE")
    pack = f"pellucid pack {digest} --policy policy.toml -o {digest[:12]}.evidence.json"
    return Command(_("What every node of your policy says about it, with proofs"), pack)


def search_page(views: Views, moment: datetime, query: str, start: int = 0) -> SearchPage:
    """Build the answer to a search for a product, a digest, a statement, a party or a node; products from `start`."""
    wanted = query.strip()[:200]
    digits = wanted.rpartition(":")[2].lower()
    is_hex = 4 <= len(digits) <= 64 and all(char in "0123456789abcdef" for char in digits)
    records = views.starting_with(digits, limit=MAX_LINES + 1) if is_hex else ()
    products = products_page(views, moment, wanted, start) if wanted else None
    total = views.product_total(matching=wanted) if wanted else 0
    title = _("Search: {text}").format(text=wanted) if wanted else _("Search")
    parties, nodes = find_parties(views, wanted), find_nodes(views, wanted)
    known = _search_sentence(wanted, len(records) + total + len(parties) + len(nodes))
    lines, pages = (products.products, _search_paging(products.paging)) if products else ((), None)
    return SearchPage(moment, title, wanted, known, lines, pages, parties, nodes, listed_lines(records, views))


def _search_sentence(wanted: str, found: int) -> Sentence:
    if not wanted:
        return sentence(
            _("Search for a product, a digest or the first 4 digits of one, a statement, a party or a node.")
        )
    if not found:
        return sentence(_("{nothing} under “{text}”."), nothing=strong(_("Nothing is logged here")), text=wanted)
    return sentence(_("{matches} for “{text}”."), matches=strong(counted(found, "match", "matches")), text=wanted)


def _search_paging(paging: Paging | None) -> Paging | None:
    """Turn the links of the list of products into links of the search."""
    if paging is None:
        return None
    before, after = (
        None if link is None else Link(link.text, link.href.replace("/products?", "/search?", 1))
        for link in (paging.before, paging.after)
    )
    return Paging(paging.words, before, after)


def party_page(views: Views, moment: datetime, key: str) -> PartyPage | None:
    """Build the page on a key; None if nothing here knows it."""
    party = views.party(key)
    if party is None:
        return None
    granted = tuple(item for item in map(views.statement, [a.statement for a in party.accreditations]) if item)
    label = party.name or key_name(key)
    return PartyPage(
        as_of=moment,
        title=label,
        key=key,
        name=party.name,
        affiliation=party.affiliation,
        known=_party_sentence(label, party, views),
        notices=_party_notices(party),
        is_node=_node_of(key, views) is not None,
        accreditations=tuple(statement_line(item, views) for item in granted),
        statements=listed_lines(views.by_author(key, limit=MAX_LINES), views, party.statements),
    )


@dataclass(frozen=True, slots=True)
class _Answer:
    """What was found about a digest."""

    chains: tuple[ChainLine, ...]
    releases: int
    statements: AbstractSet[str]
    itself: Record | None
    made_from: tuple[Record, ...]

    def words(self) -> tuple[State, str, Sentence]:
        """Return how it stands, the headline and the sentence."""
        if self.chains:
            return self._released()
        number = len(self.statements)
        if not number and self.itself is None:
            words = _("Either its maker does not log here, or this is not the file that they released.")
            return State.UNKNOWN, _("Nothing is logged here about it"), sentence(words)
        words = ngettext("{statements} here names it.", "{statements} here name it.", number)
        naming = sentence(words, statements=strong(counted(number, "statement")))
        if self.made_from:
            return State.UNKNOWN, _("A source tree, not a file that ships"), self._tree(naming)
        if self.itself is not None:
            statement = strong(_("statement"), href=f"/statements/{self.itself.id}")
            known = sentence(_("It is the id of a {statement}."), statement=statement)
            return State.UNKNOWN, _("A statement, not a file that ships"), _both(known, naming) if number else known
        return State.UNKNOWN, _("Known here, but no file that was released"), naming

    def _tree(self, naming: Sentence) -> Sentence:
        model, others = self.made_from[0].model, len(self.made_from) - 1
        release = strong(f"{model.product} {model.version}", href=f"/releases/{self.made_from[0].id}")
        if not others:
            return _both(sentence(_("It is the source tree that {release} names."), release=release), naming)
        words = counted(
            others,
            "It is the source tree that {release} and {n} other release name.",
            "It is the source tree that {release} and {n} other releases name.",
        )
        return _both(sentence(words, release=release), naming)

    def _released(self) -> tuple[State, str, Sentence]:
        state, headline = State.GOOD, _("This file was released here")
        if any(line.badges for line in self.chains):
            state, headline = State.FAILED, _("This file was released here, and something is wrong with it")
        elif any(step.state is State.FAILED for line in self.chains for step in line.chain):
            state, headline = State.ATTENTION, _("This file was released here; its chain has a broken link")
        first = strong(self.chains[0].title, href=self.chains[0].href)
        words = _("A file with this digest is logged as part of {release}.")
        if self.releases > 1:
            words = counted(
                self.releases - 1,
                "A file with this digest is logged as part of {release}, and of {n} further release.",
                "A file with this digest is logged as part of {release}, and of {n} further releases.",
            )
        return state, headline, sentence(words, release=first)


def _both(first: Sentence, second: Sentence) -> Sentence:
    return sentence("{first} {second}", first=first, second=second)


def _digest_notices(releases: tuple[Record, ...]) -> tuple[Notice, ...]:
    ended = [item for item in releases if item.withdrawn is not None or item.revoked is not None]
    links = tuple(Link(release_name(item.id), f"/releases/{item.id}") for item in ended)
    text = _("A release that ships this file was withdrawn, or its author's key had ended when it was logged.")
    return (Notice(State.FAILED, _("A release of this file no longer stands"), text, links),) if ended else ()


def _party_sentence(label: str, party: PartyFact, views: Views) -> Sentence:
    return sentence(
        _("{key} is {standing} and has {statements} here."),
        key=strong(label),
        standing=strong(_party_standing(party, views)),
        statements=strong(counted(party.statements, "statement")),
    )


def _party_standing(party: PartyFact, views: Views) -> str:
    granted = listed(term(role) for role in sorted({item.role for item in party.accreditations}))
    if granted:
        by = introduce(party.key, views).accredited_by or _("itself")
        return _("accredited as {roles} by {names}").format(roles=granted, names=by)
    node = _node_of(party.key, views)
    return _("the key with which {node} speaks").format(node=node) if node else _("accredited by nobody known here")


def _node_of(key: str, views: Views) -> str | None:
    """Return whose party key it is: this node's, or that of one of its peers."""
    node = views.node()
    if _is_among(key, node.keys):
        return _("this {role}'s node").format(role=term(node.role))
    peer = next((peer for peer in views.peers() if _is_among(key, peer.keys)), None)
    return None if peer is None else _("the {role} {name}").format(role=term(peer.role), name=peer.name)


def _is_among(key: str, keys: tuple[KeyFact, ...]) -> bool:
    return any(item.role == "party" and item.fingerprint == key for item in keys)


def _party_notices(party: PartyFact) -> tuple[Notice, ...]:
    if party.revocation is None:
        return ()
    ended = party.revocation
    link = Link(_("the revocation"), f"/statements/{ended.statement}")
    return (Notice(State.FAILED, _(THIS_KEY[ended.ending]), _(WHAT_STANDS[ended.ending]), (link,)),)
