"""What can be wrong with a log's trees, tiles, notes and proofs."""

from __future__ import annotations

from pellucid.errors import EvidenceError, InputError


class ProofError(EvidenceError):
    """A proof does not lead to the root it should, or is not one."""


class TileError(EvidenceError):
    """A tile or entry bundle is missing, damaged or of the wrong width."""


class NoteError(EvidenceError):
    """A signed note cannot be relied upon."""


class MalformedNoteError(NoteError):
    """The bytes are not a signed note, or not the note that was expected here."""


class UnsignedNoteError(NoteError):
    """No signature of the note is by a known key."""


class BadSignatureError(NoteError):
    """A signature by a known key fails, or that key signed the note twice."""


class CheckpointError(MalformedNoteError):
    """The text of a note is not a checkpoint."""


class OriginError(NoteError):
    """A checkpoint belongs to another log."""


class QuorumError(NoteError):
    """A checkpoint is not cosigned by those whom a policy asks for."""


class EntryError(InputError):
    """An entry cannot be logged as it is."""


class VkeyError(InputError):
    """A verifier key or a key name cannot be used."""


class KeyRoleError(InputError):
    """A key is used for something that its role does not do."""


class SharedKeyError(InputError):
    """One public key stands under two roles or two names."""


class PolicyError(InputError):
    """A tlog-policy or a quorum cannot be used."""
