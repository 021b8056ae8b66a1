"""The whole story of twenty-four patients: a dossier of every lot, and nothing of anybody else in any."""

import json
from pathlib import Path
from random import Random
from types import ModuleType

import pytest

from cellwright.command.demo.run import STORY_PATIENTS, open_demo
from cellwright.command.dossier.archive import unpack
from cellwright.command.dossier.export import dossier
from cellwright.command.verification import verify_site
from tests.command.dossier import scene
from tests.command.dossier.test_alterations import flipped, problems


@pytest.mark.long
@pytest.mark.requirement("R003", "R061")
def test_every_lot_of_the_story_has_a_dossier_that_holds_and_betrays_nobody(
    tmp_path: Path, verifier: ModuleType
) -> None:
    demo = open_demo(tmp_path / "site")
    demo.run(STORY_PATIENTS, lambda done, total: None)
    random = Random(3)
    with demo.site as site:
        owned = {e.body["lot"]: e.body["coi"] for e in site.ledger.read() if e.type == "lot.issued"}
        assert len(owned) > STORY_PATIENTS
        secrets = {secret.encode() for secret in scene.personal(site)}
        assert verify_site(site.ledger, folder=site.folder, settings=site.settings).findings == ()
        for lot, coi in owned.items():
            archive = dossier(site, lot)
            assert problems(verifier, archive) == []
            assert problems(verifier, flipped(archive, random))
            assert not any(secret in archive for secret in secrets)
            members = unpack(archive)
            shared = json.loads(members["manifest.json"])["shared"]
            others = {name for other, chain in owned.items() if chain != coi for name in (other, chain)}
            for event in scene.events_of(members):
                said = json.dumps(event)
                assert event["pos"] in shared or not any(name in said for name in others), event["type"]
