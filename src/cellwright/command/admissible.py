"""What every command has to be before it is judged: legible, documented, and signed in a role that may give it."""

import re
from collections.abc import Callable
from typing import Final

import msgspec

from cellwright.factory.rule import Command, Refusal
from cellwright.factory.stored_file import named

_SHA256: Final = re.compile(r"[0-9a-f]{64}", re.ASCII)
SIGNED_AS = ("role", "verifier_role", "receiver_role")
"""Fields of a command that say in which role somebody signs it."""


def in_own_role(command: Command) -> Refusal | None:
    """Whether a command is signed in roles that may give it: nobody verifies at a bedside as a planner (R022, R041)."""
    for field in SIGNED_AS:
        role = getattr(command, field, None)
        if role is not None and role not in command.roles:
            return Refusal(
                "role-not-for-this",
                "This is not signed in the role {role}, but as {roles}.",
                remedy="Somebody who holds one of these roles signs.",
                rule="R022",
                role=str(role)[:40],
                roles=", ".join(sorted(command.roles)),
            )
    return None


def admissible(command: Command, holds: Callable[[str], bool]) -> None:
    """Whether a record can hold what a command says, and everything it names is there to be looked at.

    Args:
        holds: whether the file store holds a file of this hash.

    Raises:
        Refusal `text-not-readable`: half of a character pair.
        Refusal `not-a-hash`: a file is named by something else than its SHA-256, so that nobody finds it again.
        Refusal `file-not-stored`: the store holds no file of this hash (R017).
    """
    try:
        msgspec.json.encode(command)
    except UnicodeEncodeError:
        raise Refusal(
            "text-not-readable",
            "A text of this command holds characters that cannot be written.",
            remedy="Enter it again.",
            rule="R044",
        ) from None
    for field, hash_ in named(command):
        if not _SHA256.fullmatch(hash_):
            raise Refusal(
                "not-a-hash",
                "{field} is not the SHA-256 of a document.",
                remedy="Store the document and name it by its hash.",
                rule="R018",
                field=field,
            )
        if not holds(hash_):
            raise Refusal(
                "file-not-stored",
                "{field} names a file that is not in the store: {sha256}.",
                remedy="Store the file first, and name it by the hash that the store gives it.",
                rule="R017",
                field=field,
                sha256=hash_,
            )
