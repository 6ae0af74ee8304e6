"""Nothing that people wrote or that names them is kept where an erasure does not reach: each text is accounted for."""

from __future__ import annotations

from django.apps import apps
from django.db import models

from pellucid.people.portal.erasure import PROSE

TEXTS = (models.CharField, models.TextField, models.JSONField, models.BinaryField)

# Goes with the account: fields that `erase` sets anew, and models whose rows it deletes.
GOES = {"people_portal.Account", "people_portal.Organisation", "people_portal.Invitation"}
GOES |= {"outbox_portal.Told", "outbox_portal.Webhook", "outbox_portal.Delivery", "outbox_portal.Preferences"}

# Holds digests, ids, enums, words of the program, public statements; never a name or prose of a person.
SAYS_NOTHING = {
    "people_portal.WaitingEvent.event",
    "signing_portal.PartyKey.key_id",
    "signing_portal.PartyKey.spki",
    "signing_portal.KeyChallenge.spki",
    "signing_portal.KeyChallenge.payload",
    "signing_portal.SigningRequest.ref",
    "signing_portal.SigningRequest.payload",
    "signing_portal.SigningRequest.statement_id",
    "signing_portal.SigningRequest.envelope",
    "signing_portal.SigningRequest.receipt",
    "outbox_portal.Message.key",
    "outbox_portal.Message.path",
    "outbox_portal.Message.words",
    "outbox_portal.Concern.watch",
    "outbox_portal.Concern.subject",
}


def texts() -> set[str]:
    """Return the fields of our models that can hold any words, as app.Model.field."""
    ours = [model for model in apps.get_models() if model.__module__.startswith("pellucid.")]
    return {
        f"{model._meta.label}.{field.name}"
        for model in ours
        for field in model._meta.fields
        if isinstance(field, TEXTS) and not field.choices and not field.primary_key
    }


def test_every_text_is_erased_or_says_nothing_about_anybody() -> None:
    erased = {f"{label}.{field}" for label, fields in PROSE.items() for field in fields}
    open_ends = {text for text in texts() - erased - SAYS_NOTHING if text.rpartition(".")[0] not in GOES}
    assert open_ends == set(), "erase it (people.portal.erasure.PROSE) or say here why it says nothing"


def test_what_is_erased_is_there_and_may_be_empty() -> None:
    for label, names in PROSE.items():
        for name in names:
            assert apps.get_model(label)._meta.get_field(name).blank, f"{label}.{name}"
