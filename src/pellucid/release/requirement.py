"""`[require.release]`: the file is the one live release of its place, made from one source tree."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from pellucid.release.predicate import RELEASE, Release
from pellucid.statement.reference import Ref, release_ref
from pellucid.trust.authority import Speaker
from pellucid.trust.predicate import PartyRole
from pellucid.trust.requirement import Case, Requirement, RequirementKind, Result
from pellucid.trust.testimony import Testimony, of_kind


class ReleaseRequirement(Requirement, frozen=True):
    """`product` and `vendor` narrow whose what the file must be; `source` asks that its source tree is named.

    `vendor` is a name of the policy: without it, any vendor that the policy accepts may claim any product.
    """

    product: str | None = None
    vendor: str | None = None
    source: bool = True


def live_releases(case: Case, ref: Ref) -> Sequence[Testimony]:
    """Return the releases concerning `ref` by an accepted vendor that stands by them."""
    return [t for t in of_kind(case.testimonies, RELEASE, ref) if case.authority.speakers(t, PartyRole.VENDOR)]


def doubled(case: Case, release: Testimony, vendor: str | None = None) -> Sequence[tuple[str, Sequence[Testimony]]]:
    """Return each place of `release` that more than one release claims, as words, with those releases.

    A claim counts that may be live: late proof, a key's end or a withdrawal that is not the vendor's hides none. Where
    a `vendor` is asked for, others' claims to its place are noise.
    """
    model: Release = release.parsed.predicate
    found = []
    for artifact in model.artifacts:
        place = release_ref(model.product, model.version, artifact.name)
        named = of_kind(case.testimonies, RELEASE, place)
        claims = [t for t in named if _is_by(case.authority.claimants(t, PartyRole.VENDOR), vendor)]
        if len(claims) > 1:
            found.append((f"{artifact.name} of {model.product} {model.version}", claims))
    return found


def _decide(case: Case, requirement: ReleaseRequirement) -> Iterable[Result]:
    releases = live_releases(case, case.file)
    if requirement.product is not None:
        releases = [t for t in releases if t.parsed.predicate.product == requirement.product]
    releases = [t for t in releases if _is_by(case.authority.speakers(t, PartyRole.VENDOR), requirement.vendor)]
    if not releases:
        yield Result("release", met=False, why=_why_none(case, requirement), evidence=())
        return
    ids = tuple(t.id for t in releases)
    trees = case.source_trees()
    for release in releases:
        for words, claims in doubled(case, release, requirement.vendor):
            why = f"there are {len(claims)} live releases of {words}; there may be one"
            yield Result("release", met=False, why=why, evidence=tuple(t.id for t in claims))
            return
    if len(trees) > 1:
        yield Result("release", met=False, why=f"{len(trees)} source trees are named for this file", evidence=ids)
    elif requirement.source and not trees:
        yield Result("release", met=False, why="no release of this file names its source tree", evidence=ids)
    else:
        places = [place for release in releases for place in _places_of_file(case, release)]
        why = f"it is {', '.join(places)}, and no other live release claims that place"
        others = {t.id for release in releases for t in _taken_back(case, release)}
        if others:
            why += f"; withdrawn were {len(others)} that gave the place to other bytes, or named another source"
        yield Result("release", met=True, why=why, evidence=(*ids, *sorted(others)))


def _is_by(speakers: Iterable[Speaker], vendor: str | None) -> bool:
    return any(vendor in {None, speaker.name} for speaker in speakers)


def _taken_back(case: Case, release: Testimony) -> Iterator[Testimony]:
    """Yield the withdrawn releases of a place: a copy for one person can be put there for as long as that takes."""
    model: Release = release.parsed.predicate
    places = {release_ref(model.product, model.version, artifact.name) for artifact in model.artifacts}
    for testimony in of_kind(case.testimonies, RELEASE):
        if testimony.parsed.concerns & places and case.authority.withdrawal(testimony) is not None:
            yield testimony


def _places_of_file(case: Case, release: Testimony) -> Iterator[str]:
    """Yield the places that a release gives the file, as words: its name there is for the user to compare."""
    model: Release = release.parsed.predicate
    for subject in release.parsed.statement.subjects:
        if subject.digest["sha256"] == case.sha256:
            yield f"{subject.name} of {model.product} {model.version}"


def _why_none(case: Case, requirement: ReleaseRequirement) -> str:
    claims = of_kind(case.testimonies, RELEASE, case.file)
    if not claims:
        return "no release of this file is logged"
    if all(case.authority.withdrawal(t) for t in claims):
        return "every release of this file was withdrawn by its author"
    if live_releases(case, case.file):
        by = f" by {requirement.vendor}" if requirement.vendor else ""
        return f"this file is released, but not as {requirement.product or 'any product'}{by}"
    if custody := next(filter(None, (case.authority.refused_author(t, PartyRole.VENDOR) for t in claims)), None):
        return f"its vendor's key has the custody `{custody.value}`, which the policy refuses"
    return "no release of this file was signed by a vendor that the policy accepts"


RELEASE_REQUIREMENT = RequirementKind("release", ReleaseRequirement, _decide, unasked={"source": False})
