"""References: how statements, look-ups and packs name a thing.

sha256:<hex>      the bytes of a file
gitTree:<hex>     a source tree, by its id in git's sha256 object format
statement:<hex>   a statement, by its id
key:<hex>         a key, by the SHA-256 of its SPKI
release:<hex>     one artifact name of one version of one product, whatever its bytes
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from pellucid.errors import EvidenceError
from pellucid.statement.canonical import canonical_json
from pellucid.statement.digest import sha256_hex
from pellucid.statement.intoto import Subject

Ref = str
_REF = re.compile(r"(sha256|gitTree|statement|key|release):[0-9a-f]{64}")


class RefError(EvidenceError):
    """A text is not a reference."""


def parse_ref(text: str, *, where: str = "reference") -> Ref:
    """Return `text` when it is a reference, else raise."""
    if _REF.fullmatch(text) is None:
        raise RefError(f"{text[:90]!r} is not a reference", where=where, remedy="write kind:sha256")
    return text


def file_ref(sha256: str) -> Ref:
    """Refer to the bytes of a file."""
    return f"sha256:{sha256}"


def tree_ref(sha256: str) -> Ref:
    """Refer to a source tree by its sha256 tree id."""
    return f"gitTree:{sha256}"


def statement_ref(statement_id: str) -> Ref:
    """Refer to a statement."""
    return f"statement:{statement_id}"


def key_ref(key_id: str) -> Ref:
    """Refer to a key."""
    return f"key:{key_id}"


def release_ref(product: str, version: str, artifact: str) -> Ref:
    """Refer to the one place in the world that an artifact of a product's version has.

    Names that differ only in case are one place: no user could tell two such files apart.
    """
    names = [product.casefold(), version.casefold(), artifact.casefold()]
    return f"release:{sha256_hex(canonical_json(['release', *names]))}"


def subject_refs(subjects: Iterable[Subject]) -> frozenset[Ref]:
    """Return the references that subjects give by digest; digests of other algorithms give none."""
    found = (f"{algorithm}:{value}" for s in subjects for algorithm, value in s.digest.items())
    return frozenset(ref for ref in found if _REF.fullmatch(ref))
