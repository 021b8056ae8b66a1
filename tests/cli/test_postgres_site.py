"""A site on PostgreSQL does what a site on SQLite does: made, worked with, served, verified, given away as a dossier."""

import shutil
from datetime import UTC, datetime
from pathlib import Path

import pytest

from cellwright.cli import app
from cellwright.command.demo.run import START, Demo, seeded_ids, seeded_nonces
from cellwright.command.demo.stage import Journey, Stage
from cellwright.command.signing import SoftwareAuthenticator
from cellwright.command.site import Settings, create, open_site
from cellwright.factory.rule import Refusal
from cellwright.ledger import SimulatedClock
from tests.cli import small
from tests.cli.serving import served
from tests.cli.small import cellwright
from tests.cli.test_site import REAL, Terminal
from tests.postgres_server import PostgresServer

assert app


@pytest.fixture
def database(postgres: PostgresServer) -> str:
    return postgres.new_database()


@pytest.mark.requirement("R001")
def test_a_real_site_is_made_worked_with_and_verified(
    database: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    terminal = Terminal(tmp_path / "site", capsys, monkeypatch)
    made = terminal.create("--ledger", database)
    assert made["events"] == 9
    enrol = ("OP-1", "--name", "Operator", "--by", "SO-2")
    code, _, err = terminal.run("people", "enrol", terminal.folder, *enrol, typed=terminal.components("SO-2"))
    assert code == 0, err
    standing = terminal.document("status")
    assert standing["ok"]
    assert "owner@" not in standing["ledger"]
    for place in (terminal.folder, database):
        assert terminal.run("verify", place)[0] == 0
    other = Terminal(tmp_path / "other", capsys, monkeypatch)
    code, _, err = other.site("create", *REAL, "--ledger", database, typed="seven cells in a warm bag\n" * 4)
    assert (code, "holds a record already" in err) == (1, True)


@pytest.mark.requirement("R003")
def test_the_small_site_is_served_and_verified(database: str, tmp_path: Path) -> None:
    folder = tmp_path / "site"
    small.build(folder, database)
    with served(folder) as site:
        status, page = site.get("/sign-in")
        assert status == 200
        assert "SIMULATED" in page
        assert cellwright("verify", folder).exit_code == 0
    assert cellwright("verify", folder).exit_code == 0


def test_two_folders_never_work_with_one_record(database: str, tmp_path: Path) -> None:
    folder, copy = tmp_path / "site", tmp_path / "copy"
    small.build(folder, database)
    shutil.copytree(folder, copy)
    with open_site(folder), open_site(folder) as second:
        assert second.ledger.head().size
        with pytest.raises(Refusal, match="from another folder"):
            open_site(copy)
    with open_site(copy) as moved:
        assert moved.ledger.head().size
        with pytest.raises(Refusal, match="from another folder"):
            open_site(folder)


def patient(demo: Demo) -> Journey:
    way = demo.way(1, "CAR-T-19", "CN", weight_kg="25")
    yield from way.until_order()
    yield from way.patient.collected()
    yield from way.patient.received()
    yield from way.making.issued()
    yield from way.making.made("store")


@pytest.mark.requirement("R001")
def test_a_lot_made_on_postgresql_has_a_dossier_that_verifies(database: str, tmp_path: Path) -> None:
    folder = tmp_path / "site"
    settings = Settings(name="bench", title_en="Bench", title_zh="试验台", simulated=True, ledger=database)
    site = create(folder, settings, start=START, new_id=seeded_ids("p"), new_nonce=seeded_nonces("p"))
    with site:
        demo = Demo(site, SoftwareAuthenticator(site.desk.relying), "p")
        demo.setting.prepare(demo.signer)
        assert isinstance(site.clock, SimulatedClock)
        assert site.clock() >= datetime(2026, 3, 2, tzinfo=UTC)
        Stage(site.desk, site.clock, demo.signer, lambda done, total: None).run([patient(demo)])
        (lot,) = {event.body["lot"] for event in site.ledger.read() if event.type == "lot.issued"}
    done = cellwright("dossier", lot, "-o", tmp_path / "lot.zip", "--dir", folder)
    assert done.exit_code == 0, done.output
    from cellwright.command.dossier.check import verify_dossier

    found = verify_dossier((tmp_path / "lot.zip").read_bytes())
    assert found.ok, [str(problem) for problem in found.problems]
    assert found.signatures > 10
