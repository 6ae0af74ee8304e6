"""The roles that a person can hold on a node; what a verifier believes of them is its policy's business."""

from __future__ import annotations

from enum import StrEnum


class Role(StrEnum):
    """What a person does on this node."""

    OPERATOR = "operator"
    VENDOR_CONTACT = "vendor-contact"
    REVIEWER = "reviewer"
    ASSESSOR = "assessor"
    ATTESTOR = "attestor"
    RESEARCHER = "researcher"
