"""The pages that answer a question: what is said about a digest, what a search finds, who a key is."""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import datetime

from pellucid.record.facts import PartyFact, Record, Views
from pellucid.release.portal.claims import (
    NOT_PROVEN,
    Command,
    Link,
    Notice,
    Paging,
    Sentence,
    State,
    counted,
    listed,
    sentence,
    strong,
)
from pellucid.release.portal.pages import ChainLine, ProductLine, artifact_releases, chain_lines, products_page
from pellucid.release.portal.seen import LogGlance, log_glance
from pellucid.release.portal.speakers import introduce
from pellucid.site.pages import MAX_LINES, StatementLine, StatementList, listed_lines, statement_line

CHAINS = 5


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
        title=f"Digest {digest[:12]}…",
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
        not_proven=NOT_PROVEN,
    )


def _digest_command(digest: str, *, is_tree: bool) -> Command:
    if is_tree:
        return Command("Recompute it from a folder, an archive or a repository", "pellucid source tree SOURCE")
    pack = f"pellucid pack {digest} --policy policy.toml -o {digest[:12]}.evidence.json"
    return Command("What every node of your policy says about it, with proofs", pack)


def search_page(views: Views, moment: datetime, query: str, start: int = 0) -> SearchPage:
    """Build the answer to a search for a digest, a product or a statement id; products from the `start`th."""
    wanted = query.strip()[:200]
    digits = wanted.rpartition(":")[2].lower()
    is_hex = 4 <= len(digits) <= 64 and all(char in "0123456789abcdef" for char in digits)
    records = views.starting_with(digits, limit=MAX_LINES + 1) if is_hex else ()
    products = products_page(views, moment, wanted, start) if wanted else None
    total = views.product_total(matching=wanted) if wanted else 0
    found = counted(len(records) + total, "match", "matches")
    if not wanted:
        known = sentence("Search for a SHA-256, a product's name, or the id of a statement.")
    elif records or total:
        known = sentence(strong(found), f" for “{wanted}”.")
    else:
        known = sentence(strong("Nothing is logged here"), f" under “{wanted}”.")
    title = f"Search: {wanted}" if wanted else "Search"
    lines, pages = (products.products, _search_paging(products.paging)) if products else ((), None)
    return SearchPage(moment, title, wanted, known, lines, pages, listed_lines(records, views))


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
    label = party.name or f"key {key[:12]}…"
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
        if not self.statements and self.itself is None:
            words = "Either its maker does not log here, or this is not the file that they released."
            return State.UNKNOWN, "Nothing is logged here about it", sentence(words)
        number = len(self.statements)
        named = (strong(counted(number, "statement")), f" here name{'s' if number == 1 else ''} it.")
        if self.made_from:
            model = self.made_from[0].model
            release = strong(f"{model.product} {model.version}", href=f"/releases/{self.made_from[0].id}")
            others = len(self.made_from) - 1
            more = f" and {counted(others, 'other release')}" if others else ""
            known = sentence("It is the source tree that ", release, more, f" name{'' if others else 's'}. ", *named)
            return State.UNKNOWN, "A source tree, not a file that ships", known
        if self.itself is not None:
            known = sentence("It is the id of a ", strong("statement", href=f"/statements/{self.itself.id}"), ". ")
            return (
                State.UNKNOWN,
                "A statement, not a file that ships",
                sentence(*known.phrases, *(named if number else ())),
            )
        return State.UNKNOWN, "Known here, but no file that was released", sentence(*named)

    def _released(self) -> tuple[State, str, Sentence]:
        state, headline = State.GOOD, "This file was released here"
        if any(line.badges for line in self.chains):
            state, headline = State.FAILED, "This file was released here, and something is wrong with it"
        elif any(step.state is State.FAILED for line in self.chains for step in line.chain):
            state, headline = State.ATTENTION, "This file was released here; its chain has a broken link"
        more = f", and of {counted(self.releases - 1, 'further release')}" if self.releases > 1 else ""
        first = strong(self.chains[0].title, href=self.chains[0].href)
        return state, headline, sentence("A file with this digest is logged as part of ", first, more, ".")


def _digest_notices(releases: tuple[Record, ...]) -> tuple[Notice, ...]:
    ended = [item for item in releases if item.withdrawn is not None or item.revoked is not None]
    links = tuple(Link(f"release {item.id[:12]}…", f"/releases/{item.id}") for item in ended)
    text = "A release that ships this file was withdrawn, or its author's key had ended when it was logged."
    return (Notice(State.FAILED, "A release of this file no longer stands", text, links),) if ended else ()


def _party_sentence(label: str, party: PartyFact, views: Views) -> Sentence:
    said = (" and has ", strong(counted(party.statements, "statement")), " here.")
    granted = listed(sorted({item.role for item in party.accreditations}))
    if granted:
        by = introduce(party.key, views).accredited_by or "itself"
        return sentence(strong(label), " is ", strong(f"accredited as {granted} by {by}"), *said)
    node = _node_of(party.key, views)
    if node is not None:
        return sentence(strong(label), " is ", strong(f"the key with which {node} speaks"), *said)
    return sentence(strong(label), " is ", strong("accredited by nobody known here"), *said)


def _node_of(key: str, views: Views) -> str | None:
    """Return whose party key it is: this node's, or that of one of its peers."""
    node = views.node()
    peers = ((peer.keys, f"the {peer.role} {peer.name}") for peer in views.peers())
    nodes = ((node.keys, f"this {node.role}'s node"), *peers)
    return next((words for keys, words in nodes if any(k.role == "party" and k.fingerprint == key for k in keys)), None)


def _party_notices(party: PartyFact) -> tuple[Notice, ...]:
    if party.revocation is None:
        return ()
    ended = party.revocation
    link = Link("the revocation", f"/statements/{ended.statement}")
    what = {"retired": "What it had logged before still stands.", "compromised": "What it logged afterwards is void."}
    return (Notice(State.FAILED, f"This key is {ended.ending.value}", what[ended.ending.value], (link,)),)
