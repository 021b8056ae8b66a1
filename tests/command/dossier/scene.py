"""A small simulated site with two released lots, made once, and the stand-alone verifier as it is shipped."""

import importlib.util
import json
import sys
from collections.abc import Callable
from hashlib import sha256
from importlib.resources import files
from pathlib import Path
from types import ModuleType
from typing import Any

import msgspec

from cellwright.command.demo.run import open_demo
from cellwright.command.dossier.archive import pack, unpack
from cellwright.command.dossier.export import dossier
from cellwright.command.site import INSTALLATION, Site, open_site
from cellwright.factory import people
from cellwright.factory.record import Fact
from cellwright.ledger.merkle import leaf_hash
from cellwright.ledger.note import Checkpoint, Note
from cellwright.ledger.signing_key import generate_keys, load_keys

PATIENTS = 2


def build(folder: Path) -> list[str]:
    """Make the site; its lots."""
    demo = open_demo(folder)
    demo.run(PATIENTS, lambda done, total: None)
    for person in ("QP-1", "QP-2"):
        demo.site.desk.record(
            [Fact(f"person/{person}", people.SignedIn(person=person, means="webauthn"))], INSTALLATION
        )
    demo.site.publisher.publish()
    demo.site.close()
    return [way.patient.lot for way in demo.ways]


def made(folder: Path, lot: str, **more: Any) -> bytes:
    """A dossier of a lot of the site in a folder."""
    with open_site(folder) as site:
        return dossier(site, lot, **more)


def standalone() -> ModuleType:
    """The shipped verifier as a module of its own, as if nothing else of ours were there."""
    path = str(files("cellwright.shipped").joinpath("verify_dossier.py"))
    spec = importlib.util.spec_from_file_location("verify_dossier", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["verify_dossier"] = module
    spec.loader.exec_module(module)
    return module


def sealed_again(folder: Path, archive: bytes, change: Callable[[dict[str, bytes], dict[str, Any]], None]) -> bytes:
    """A dossier that the site itself altered: its members changed, its manifest written and sealed anew.

    `change` gets the members and the manifest; the hashes in the manifest are brought up to date afterwards.
    """
    members = unpack(archive)
    manifest = json.loads(members.pop("manifest.json"))
    members.pop("dossier.note")
    change(members, manifest)
    manifest["files"] = {name: sha256(data).hexdigest() for name, data in members.items()}
    members["manifest.json"] = canonical(manifest)
    first = json.loads(members["events.jsonl"].split(b"\n")[0])
    text = Checkpoint(
        f"{first['body']['origin']}/dossier/{manifest['lot']}", 1, leaf_hash(members["manifest.json"])
    ).text
    keys = load_keys(folder / "keys" / "checkpoint.keys")
    members["dossier.note"] = Note(text, tuple(key.sign(text, 0) for key in keys)).to_bytes()
    return pack(members)


def canonical(value: Any) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def events_of(members: dict[str, bytes]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in members["events.jsonl"].splitlines()]


def personal(site: Site) -> set[str]:
    """Everything that the site keeps encrypted about its subjects, opened."""
    found = set()
    for event in site.ledger.read():
        if event.type in ("subject.registered", "subject.personal_changed"):
            for name, value in event.body["personal"].items():
                found.add(site.keys.decrypt_field(value, name))
    return found


def generate_other_key() -> str:
    """A verifier key of somebody else."""
    return str(generate_keys("cellwright/e-town-demo")[0].verifier)


def fields_of(body: type[Any]) -> tuple[Any, ...]:
    return msgspec.structs.fields(body)


def parents(events: list[dict[str, Any]]) -> dict[str, set[str]]:
    """Container -> the containers its content came from, by the transfers of the record."""
    found: dict[str, set[str]] = {}
    for event in events:
        if event["type"] == "lot.material_transferred":
            for child in event["body"]["made"]:
                sources = {source["container"] for source in event["body"]["sources"]}
                found.setdefault(child["container"], set()).update(sources)
    return found


def origins(container: str, known: dict[str, set[str]]) -> set[str]:
    """The containers without parents that a container's content comes from."""
    above = known.get(container, set())
    return set().union(*(origins(one, known) for one in above)) if above else {container}


def ends(container: str, known: dict[str, set[str]]) -> set[str]:
    """The containers without children that a container's content went into."""
    below = {child for child, sources in known.items() if container in sources}
    return set().union(*(ends(one, known) for one in below)) if below else {container}
