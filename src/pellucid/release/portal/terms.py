"""Words of enumerations as pages show them: roles, kinds, reasons. In models and twins they stay as they are logged."""

from __future__ import annotations

from django.utils.translation import pgettext

from pellucid.release.portal.claims import English


def terms(*words: str) -> frozenset[str]:
    """Name words as messages with the context "term"; the literals in its calls are what is translated."""
    return frozenset(words)


TERMS = (
    terms(
        "vendor", "center", "reviewer", "assessor", "attestor", "researcher", "operator"
    )  # roles of parties and nodes
    | terms("log", "witness", "mirror", "lookup", "audit", "node", "party")  # roles of keys
    | terms("software", "update", "rules", "source")  # what is released and reviewed
    | terms("full", "delta", "independent", "customer", "government", "contractor", "employee")
    | terms("mistake", "superseded", "vulnerable", "other", "none")  # reasons of a withdrawal
    | terms("left", "right", "good", "attention", "failed", "unknown", "retired", "compromised")
    | terms("file", "browser", "token")  # where a key is kept
)


def term(word: str) -> str:
    """Return a word of an enumeration in the reader's language; what is no such word is shown as it stands."""
    return pgettext("term", word) if word in TERMS else English(word)
