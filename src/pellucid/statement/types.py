"""All predicate types of this project, in one place; they are matched exactly."""

from __future__ import annotations

_OWN = "urn:uuid:5d2faecf-d467-4196-b5d6-c7fd3c4032e0"

RELEASE = f"{_OWN}#release/v1"
REVIEW = f"{_OWN}#review/v1"
DELTA = f"{_OWN}#delta/v1"
PARTY = f"{_OWN}#party/v1"
WITHDRAWAL = f"{_OWN}#withdrawal/v1"
COMPLETENESS = f"{_OWN}#completeness/v1"
RECEIPT = f"{_OWN}#receipt/v1"
CARD = f"{_OWN}#card/v1"
