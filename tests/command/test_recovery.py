"""A process dies in the middle; the site comes up again: what was at work is Held, the clocks went on (R099, D8)."""

import signal
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from cellwright.command import recovery
from cellwright.command.signing import SoftwareAuthenticator
from cellwright.command.site import INSTALLATION, Site, open_site
from cellwright.factory import definition, people
from cellwright.factory.lot.clock import ObserveClocks
from cellwright.factory.lot.procedure import CommandProcedure
from cellwright.factory.lot.state import LotState
from cellwright.factory.order.subject import KeyDestroyed, SubjectState
from cellwright.factory.recipe.recipe import Recipe
from cellwright.factory.record import Fact
from cellwright.factory.rule import By, Refusal
from cellwright.ledger import Locked, SimulatedClock, verify
from cellwright.ledger.subject_keys import SubjectShredded
from tests.command.working import recipe_bytes, work

ROOT = Path(__file__).resolve().parents[2]
UNITS = [unit.id for unit in definition.read(Recipe, recipe_bytes().decode()).unit_procedures]


def killed(folder: Path) -> None:
    """Let a process work with a site, and kill it in the middle."""
    with subprocess.Popen(
        [sys.executable, "-m", "tests.command.working", str(folder)],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "at work\n"
        process.send_signal(signal.SIGKILL)
        assert process.wait() == -signal.SIGKILL


@pytest.fixture
def came_up(tmp_path: Path) -> Iterator[Site]:
    folder = tmp_path / "site"
    killed(folder)
    with open_site(folder) as site:
        yield site


def states(site: Site) -> dict[tuple[str, str], str]:
    lots = (site.desk.state(LotState, f"L-{n}") for n in range(1, 6))
    return {(lot.number, unit): state for lot in lots for unit, state in lot.procedures.items()}


@pytest.mark.requirement("R099")
def test_after_a_kill_everything_that_was_at_work_is_held_and_nothing_else_moved(came_up: Site) -> None:
    assert states(came_up) == {
        ("L-1", UNITS[0]): "Complete",
        ("L-1", UNITS[1]): "Held",
        ("L-2", UNITS[0]): "Held",
        ("L-3", UNITS[0]): "Held",
        ("L-4", UNITS[0]): "Stopping",
        ("L-5", UNITS[0]): "Held",
    }
    assert came_up.recovery.held == {"L-1": (UNITS[1],), "L-2": (UNITS[0],), "L-3": (UNITS[0],), "L-5": (UNITS[0],)}
    last = came_up.ledger.stream("lot/L-5")[-1]
    assert (last.body["trigger"], last.actor) == ("recovery", "person/installation")
    down = came_up.ledger.stream("site/bench")[-1]
    assert down.type == "site.down"
    assert down.body["cause"] == recovery.CAUSE
    assert verify(came_up.ledger, processes=1).ok


@pytest.mark.requirement("R099")
def test_what_is_held_goes_on_only_with_the_authority_of_a_second_person(came_up: Site) -> None:
    desk, device = came_up.desk, SoftwareAuthenticator(came_up.desk.relying)
    for person in ("OP-1", "QA-1"):
        credential, key = device.enrol(person)
        body = people.CredentialRegistered(
            person=person, credential=credential, means="webauthn", public_key=key, simulated=True
        )
        desk.record([Fact(f"person/{person}", body)], By(person="installation"))
    for alone in (None, "OP-1"):
        restart = CommandProcedure(lot="L-5", unit_procedure=UNITS[0], order="Restart", authoriser=alone)
        with pytest.raises(Refusal) as refused:
            desk.do(restart, By(person="OP-1"), device)
        assert refused.value.code == "restart-not-authorised"
    restart = CommandProcedure(lot="L-5", unit_procedure=UNITS[0], order="Restart", authoriser="QA-1")
    desk.do(restart, By(person="OP-1"), device)
    assert states(came_up)["L-5", UNITS[0]] == "Running"


@pytest.mark.requirement("R099")
def test_the_clocks_in_the_material_did_not_wait(came_up: Site) -> None:
    """A step that may take four hours began before the crash; three hours after it came up it is over its time."""
    assert isinstance(came_up.clock, SimulatedClock)
    lot = came_up.desk.state(LotState, "L-5")
    started = came_up.ledger.stream("lot/L-5")[1].at
    [clock] = lot.clocks(came_up.clock())
    assert people.stamp(clock.since) == started
    assert not clock.exceeded(came_up.clock())
    came_up.clock.advance(timedelta(hours=4, minutes=1))
    assert clock.exceeded(came_up.clock())
    came_up.desk.do(ObserveClocks(lot="L-5"), By(person="OP-1"))
    assert [n.code for n in came_up.desk.state(LotState, "L-5").nonconformances.values()] == ["duration-exceeded"]


@pytest.mark.requirement("R099")
def test_coming_up_a_second_time_changes_nothing(tmp_path: Path) -> None:
    folder = tmp_path / "site"
    killed(folder)
    with open_site(folder) as site:
        size = site.ledger.head().size
    with open_site(folder) as site:
        assert site.ledger.head().size == size
        assert site.recovery == recovery.Recovery({}, 0)


def test_a_site_closed_in_order_goes_on_as_it_was(tmp_path: Path) -> None:
    with work(tmp_path / "site") as site:
        before, size = states(site), site.ledger.head().size
    assert not list((tmp_path / "site" / recovery.FOLDER).iterdir())
    with open_site(tmp_path / "site") as site:
        assert (states(site), site.ledger.head().size) == (before, size)


def test_a_start_that_fails_leaves_the_recovery_to_the_next(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "site"
    killed(folder)

    def broken(*_: object) -> None:
        raise OSError("no space left on the device")

    with monkeypatch.context() as patch:
        patch.setattr(recovery, "hold", broken)
        with pytest.raises(OSError, match="no space"):
            open_site(folder)
    with open_site(folder) as site:
        assert states(site)["L-5", UNITS[0]] == "Held"


def test_a_process_that_lives_is_not_taken_for_a_dead_one(tmp_path: Path) -> None:
    with work(tmp_path / "site") as site:
        with pytest.raises(Locked):
            open_site(tmp_path / "site")
        other = recovery.Running(tmp_path / "site")
        assert other.died == []
        other.end()
        assert states(site)["L-5", UNITS[0]] == "Running"


def test_a_backup_of_the_keys_does_not_bring_a_destroyed_key_back(tmp_path: Path) -> None:
    folder = tmp_path / "site"
    with work(folder) as site:
        site.keys.backup(tmp_path / "keys.backup")
        destroyed = KeyDestroyed(subject="S-1", destroyed="S-1", assessor="QA-1", verifier="QA-2", law="1")
        site.desk.record([Fact("subject/S-1", destroyed)], INSTALLATION)
        assert site.keys.state("S-1") == "shredded"
    (folder / "keys.db").write_bytes((tmp_path / "keys.backup").read_bytes())
    with open_site(folder) as site:
        assert site.recovery.keys_destroyed == 1
        subject = site.desk.state(SubjectState, "S-1")
        assert subject.forgotten
        sealed = {"enc": "S-1", "n": subject.personal["name"].n, "c": subject.personal["name"].c}
        with pytest.raises(SubjectShredded):
            site.keys.decrypt_field(sealed, "name")
