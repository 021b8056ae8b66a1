"""Changing the keys that sign a site's checkpoints.

The new keys are written to a file of their own before the change is recorded, and take the old ones' place after it.
Whatever a crash leaves, the keys in force are in one of the two files: `held` finds them by the record.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from cellwright.factory import people
from cellwright.factory.people import PersonState
from cellwright.ledger import Draft
from cellwright.ledger.checkpoint import KEYS_STREAM
from cellwright.ledger.durable import sync_folder
from cellwright.ledger.signing_key import KEY_ROTATED, KeyChain, SigningKey, generate_keys, load_keys, save_keys

if TYPE_CHECKING:
    from cellwright.command.site import Site

CURRENT: Final = Path("keys") / "checkpoint.keys"
NEXT: Final = Path("keys") / "checkpoint.keys.next"
ROLES: Final = frozenset({"security_officer"})


def held(folder: Path, chain: KeyChain) -> tuple[SigningKey, ...]:
    """The private keys of a site that are in force by its record.

    Raises:
        KeyRefused: there is no such file, it is damaged, or others may read it.
    """
    if (folder / NEXT).is_file():
        keys = load_keys(folder / NEXT)
        if tuple(key.verifier for key in keys) == chain.current:
            return keys
    return load_keys(folder / CURRENT)


def rotate(site: "Site", person: str, reason: str) -> tuple[str, ...]:
    """Hand over to new keys in a security officer's name, and give their public halves.

    Raises:
        Refusal: the person may not do this.
        LedgerError: as `Publisher.rotate`; the old keys then stay in force.
    """
    refusal = people.may_act(site.desk.state(PersonState, person), ROLES, site.clock())
    if refusal is not None:
        raise refusal
    _settle(site)
    keys = generate_keys(site.settings.origin)
    save_keys(site.folder / NEXT, keys)

    def record(body: dict[str, Any]) -> int:
        draft = Draft(
            stream=KEYS_STREAM, type=KEY_ROTATED, id=str(site.new_id()), actor=f"person/{person}", body=body,
            zone=site.settings.zone, reason=reason,
        )  # fmt: skip
        return site.ledger.append([draft])[0].pos

    site.publisher.rotate(keys, record)
    _settle(site)
    return tuple(str(key.verifier) for key in keys)


def _settle(site: "Site") -> None:
    """Put keys that are in force in their place; keys of a change that was never recorded go."""
    following = site.folder / NEXT
    if not following.is_file():
        return
    chain = site.publisher.chain
    if tuple(key.verifier for key in load_keys(following)) == chain.current:
        following.replace(site.folder / CURRENT)
    else:
        following.unlink()
    sync_folder(following.parent)
