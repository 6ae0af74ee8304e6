"""What a password must be beyond what Django checks, and how it is hashed."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from django.conf import settings
from django.contrib.auth.hashers import Argon2PasswordHasher
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from pellucid.people.roles import Role
from pellucid.record.settings import SETTINGS_FILE, load_settings

LONGEST = 200
LEAST_OF_ITS_OWN = 8
_OUR_WORDS = ("pellucid", "password", "passphrase", "account", "welcome", "example")
_SHORTEST_WORD = 4

# One thread hashes for all: each thread that ever did would keep the 19 MiB for itself.
_hashing = ThreadPoolExecutor(max_workers=1, thread_name_prefix="hashing")


class NodeArgon2(Argon2PasswordHasher):
    """Argon2id with 19 MiB, three passes, one lane; one hash at a time, so that sign-in cannot eat the memory."""

    time_cost = 3
    memory_cost = 19_456
    parallelism = 1

    def encode(self, password: str, salt: str) -> str:
        """Return the hash of a password, once it is its turn."""
        return str(_hashing.submit(super().encode, password, salt).result())

    def verify(self, password: str, encoded: str) -> bool:
        """Tell whether a hash is of this password, once it is its turn."""
        return bool(_hashing.submit(super().verify, password, encoded).result())


class MaximumLengthValidator:
    """Refuses passwords that nobody types: hashing them costs the node memory and time."""

    def validate(self, password: str, user: Any = None) -> None:
        """Raise ValidationError if `password` has more than `LONGEST` characters."""
        if len(password) > LONGEST:
            raise ValidationError(self.get_help_text(), code="password_too_long")

    def get_help_text(self) -> str:
        """Return the rule in words."""
        return ngettext(
            "A password has at most %(number)d character.", "A password has at most %(number)d characters.", LONGEST
        ) % {"number": LONGEST}


class OwnWordsValidator:
    """Refuses passwords that are little else than words everybody here knows: of the program, the node, its roles."""

    def validate(self, password: str, user: Any = None) -> None:
        """Raise ValidationError if fewer than `LEAST_OF_ITS_OWN` characters are left without such words."""
        left = password.casefold()
        for word in sorted(words_of_this_place(), key=len, reverse=True):
            left = left.replace(word, "")
        if len(left) < LEAST_OF_ITS_OWN:
            raise ValidationError(self.get_help_text(), code="password_of_known_words")

    def get_help_text(self) -> str:
        """Return the rule in words."""
        return _("A password is more than the names of this node, its operator, this program and its roles.")


def words_of_this_place() -> frozenset[str]:
    """Return the words, in lower case, that are guessed first where a password for this node is guessed."""
    node = settings.NODE_HOME
    known = load_settings(node) if node is not None and (node / SETTINGS_FILE).is_file() else None
    names = [known.name, known.operator, known.region, known.url or ""] if known else []
    parts = (part for name in names for part in re.split(r"[^\w]+", name.casefold()))
    roles = (part for role in Role for part in role.value.split("-"))
    return frozenset(word for word in (*_OUR_WORDS, *roles, *parts) if len(word) >= _SHORTEST_WORD)
