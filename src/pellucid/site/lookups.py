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
    LogGlance,
    Notice,
    Sentence,
    State,
    counted,
    log_glance,
    sentence,
    speaker,
    strong,
)
from pellucid.release.portal.pages import ChainLine, ProductLine, artifact_releases, chain_lines, products_page
from pellucid.site.pages import StatementLine, statement_line

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
    more_releases: tuple[StatementLine, ...]
    statements: tuple[StatementLine, ...]
    referring: tuple[StatementLine, ...]
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
    statements: tuple[StatementLine, ...]


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
    accreditations: tuple[StatementLine, ...]
    statements: tuple[StatementLine, ...]


def digest_page(views: Views, moment: datetime, digest: str) -> DigestPage:
    """Build the page on a digest: of a file, a source tree, a statement or a key."""
    refs = [f"{kind}:{digest}" for kind in ("sha256", "gitTree")]
    about = {item.id: item for ref in refs for item in views.about(ref)}
    naming = {item.id: item for ref in (*refs, f"statement:{digest}", f"key:{digest}") for item in views.referring(ref)}
    releases = {item.id: item for item in artifact_releases(digest, views)}
    itself = views.statement(digest)
    chains = chain_lines(tuple(releases.values())[:CHAINS], views, moment)
    notices = _digest_notices(tuple(releases.values()))
    state, headline, known = _digest_sentence(chains, len(releases), about.keys() | naming.keys(), itself)
    return DigestPage(
        as_of=moment,
        title=f"Digest {digest[:12]}…",
        digest=digest,
        headline=headline,
        known=known,
        state=state,
        notices=notices,
        releases=chains,
        more_releases=tuple(statement_line(item, views) for item in tuple(releases.values())[CHAINS:]),
        statements=tuple(statement_line(item, views) for item in about.values() if item.id not in releases),
        referring=tuple(statement_line(item, views) for item in naming.values() if item.id not in about),
        logs=tuple(log_glance(log) for log in views.logs()),
        commands=(
            Command(
                "Everything said about it, with proofs",
                f"pellucid pack {digest} --policy policy.toml -o {digest[:12]}.evidence.json",
            ),
        ),
        not_proven=NOT_PROVEN,
    )


def search_page(views: Views, moment: datetime, query: str) -> SearchPage:
    """Build the answer to a search for a digest, a product or a statement id."""
    wanted = query.strip()[:200]
    digits = wanted.rpartition(":")[2].lower()
    is_hex = 4 <= len(digits) <= 64 and all(char in "0123456789abcdef" for char in digits)
    records = views.starting_with(digits) if is_hex else ()
    products = products_page(views, moment, wanted).products if wanted else ()
    found = counted(len(records) + len(products), "match", "matches")
    if not wanted:
        known = sentence("Search for a SHA-256, a product's name, or the id of a statement.")
    elif records or products:
        known = sentence(strong(found), f" for “{wanted}”.")
    else:
        known = sentence(strong("Nothing is logged here"), f" under “{wanted}”.")
    lines = tuple(statement_line(item, views) for item in records)
    return SearchPage(moment, f"Search: {wanted}" if wanted else "Search", wanted, known, products, lines)


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
        accreditations=tuple(statement_line(item, views) for item in granted),
        statements=tuple(statement_line(item, views) for item in views.by_author(key)),
    )


def _digest_sentence(
    chains: tuple[ChainLine, ...], releases: int, statements: AbstractSet[str], itself: Record | None
) -> tuple[State, str, Sentence]:
    if chains:
        more = f", and of {counted(releases - 1, 'further release')}" if releases > 1 else ""
        state, headline = State.GOOD, "This file was released here"
        if any(line.badges for line in chains):
            state, headline = State.FAILED, "This file was released here, and something is wrong with it"
        elif any(step.state is State.FAILED for line in chains for step in line.chain):
            state, headline = State.ATTENTION, "This file was released here; its chain has a broken link"
        known = sentence("A file with this digest is logged as part of ", strong(chains[0].title), more, ".")
        return state, headline, known
    if statements or itself is not None:
        named = (strong(counted(len(statements), "statement")), f" here name{'s' if len(statements) == 1 else ''} it.")
        known = sentence("It is the id of a statement. ", *named) if itself is not None else sentence(*named)
        return State.UNKNOWN, "Known here, but no file that was released", known
    words = "Either its maker does not log here, or this is not the file that they released."
    return State.UNKNOWN, "Nothing is logged here about it", sentence(words)


def _digest_notices(releases: tuple[Record, ...]) -> tuple[Notice, ...]:
    ended = [item for item in releases if item.withdrawn is not None or item.revoked is not None]
    links = tuple(Link(f"release {item.id[:12]}…", f"/releases/{item.id}") for item in ended)
    text = "A release that ships this file was withdrawn, or its author's key had ended when it was logged."
    return (Notice(State.FAILED, "A release of this file no longer stands", text, links),) if ended else ()


def _party_sentence(label: str, party: PartyFact, views: Views) -> Sentence:
    roles = sorted({item.role for item in party.accreditations})
    granters = {item.by: speaker(item.by, views.party(item.by)).label for item in party.accreditations}
    said = (" and has ", strong(counted(party.statements, "statement")), " here.")
    if not roles:
        return sentence(strong(label), " is ", strong("accredited by nobody known here"), *said)
    words = f"accredited as {', '.join(roles)} by {', '.join(granters.values())}"
    return sentence(strong(label), " is ", strong(words), *said)


def _party_notices(party: PartyFact) -> tuple[Notice, ...]:
    if party.revocation is None:
        return ()
    ended = party.revocation
    link = Link("the revocation", f"/statements/{ended.statement}")
    what = {"retired": "What it had logged before still stands.", "compromised": "What it logged afterwards is void."}
    return (Notice(State.FAILED, f"This key is {ended.ending.value}", what[ended.ending.value], (link,)),)
