"""`cellwright site`: a real site from nothing, its checkpoints, keys and backups; nothing is ever written over."""

import io
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from cellwright import shipped
from cellwright.cli import app
from cellwright.command import one_time_code, personal_key, rotation, witnessing
from cellwright.command.site import open_site, read_settings, record_of
from cellwright.factory import people
from cellwright.factory.approval import DefinitionApproved
from cellwright.factory.order.subject import Registered, Sealed
from cellwright.factory.record import Fact
from cellwright.ledger.checkpoint import NOTE, key_chain
from tests.cli import small
from tests.command.test_personal_key import CHEAP, secret_of

PASSWORD = "seven cells in a warm bag"
REAL = (
    "--name", "plant-1", "--fin", "W1234", "--officer", "SO-1=Ada Example", "--officer", "SO-2=Ben Example",
    "--evidence", "passports seen; statements in binder 3", "--address", "https://plant.example",
)  # fmt: skip


class Terminal:
    """Runs `cellwright` on a site as the person at the server would."""

    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str], patch: pytest.MonkeyPatch) -> None:
        self.folder, self.capsys, self.patch = folder, capsys, patch
        self.at = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
        self.secrets: dict[str, bytes] = {}
        patch.setattr(personal_key, "Cost", lambda: CHEAP)
        patch.setattr("cellwright.command.site.system_clock", lambda: self.at)

    def run(self, *arguments: object, typed: str = "") -> tuple[int, str, str]:
        self.patch.setattr("sys.stdin", io.StringIO(typed))
        with pytest.raises(SystemExit) as ended:
            app([str(argument) for argument in arguments], prog_name="cellwright")
        said = self.capsys.readouterr()
        return int(str(ended.value.code or 0)), said.out, said.err

    def site(self, verb: str, *arguments: object, typed: str = "") -> tuple[int, str, str]:
        return self.run("site", verb, self.folder, *arguments, typed=typed)

    def document(self, verb: str, *arguments: object, typed: str = "", code: int = 0) -> dict[str, Any]:
        ended, out, err = self.site(verb, *arguments, "--json", typed=typed)
        assert ended == code, (out, err)
        found: dict[str, Any] = json.loads(out)
        assert found["schema"].startswith("cellwright.site.")
        return found

    def create(self, *more: object) -> dict[str, Any]:
        made = self.document("create", *REAL, *more, typed=f"{PASSWORD}\n" * 4)
        self.secrets = {person: secret_of(address) for person, address in made["officers"].items()}
        return made

    def components(self, person: str) -> str:
        """Password and a code of a period that was not used yet."""
        self.at += timedelta(seconds=30)
        return f"{PASSWORD}\n{one_time_code.code(self.secrets[person], self.at)}\n"


@pytest.fixture
def terminal(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Terminal:
    return Terminal(tmp_path / "site", capsys, monkeypatch)


@pytest.mark.requirement("R001")
@pytest.mark.requirement("R033")
def test_a_real_site_begins_with_two_officers_and_a_published_checkpoint(terminal: Terminal) -> None:
    made = terminal.create()
    assert made["simulated"] is False
    assert set(made["officers"]) == {"SO-1", "SO-2"}
    settings = read_settings(terminal.folder)
    assert (settings.facility, settings.relying_id) == ("W1234", "plant.example")
    with record_of(terminal.folder) as ledger:
        opened = ledger.event(0).body
        assert (opened["clock"], opened["simulated"], opened["verifier_keys"]) == ("system", False, made["keys"])
        assert ledger.checkpoints(NOTE)[-1].size == ledger.head().size == made["events"] == 9
        grants = [event for event in ledger.read() if event.type == "person.role_granted"]
        assert {event.body["role"] for event in grants} == {"security_officer"}
    assert (terminal.folder / "keys").stat().st_mode & 0o077 == 0
    assert terminal.run("verify", terminal.folder)[0] == 0
    standing = terminal.document("status")
    assert (standing["ok"], standing["events"], standing["checkpoint"]) == (True, 9, 9)
    enrol = ("OP-1", "--name", "Operator", "--by", "SO-2")
    code, _, err = terminal.run("people", "enrol", terminal.folder, *enrol, typed=terminal.components("SO-2"))
    assert code == 0, err
    assert terminal.document("status")["ok"], "what was recorded is covered when the command ends"


def test_a_site_is_never_made_over_something(terminal: Terminal) -> None:
    terminal.create()
    before = {path: path.read_bytes() for path in terminal.folder.rglob("*") if path.is_file()}
    code, _, err = terminal.site("create", *REAL, typed=f"{PASSWORD}\n" * 4)
    assert code == 1
    assert "is not empty" in err
    assert {path: path.read_bytes() for path in terminal.folder.rglob("*") if path.is_file()} == before


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"--fin": "W12"}, "facility identification number"),
        ({"--fin": "A9999"}, "test number"),
        ({"--name": "Plant 1"}, "small letters"),
        ({"--zone": "Mars/Olympus"}, "Mars/Olympus"),
        ({"--address": "plant.example"}, "no address"),
        ({"--officer": "SO-1"}, "PERSON=NAME"),
        ({"--evidence": ""}, "identity was verified"),
        ({"--witness": "https://witness.example"}, "without a key"),
    ],
)
def test_what_is_wrong_is_said_before_anything_is_made(terminal: Terminal, changed: dict[str, str], why: str) -> None:
    given = {
        "--name": "plant-1", "--fin": "W1234", "--officer": "SO-1=Ada", "--evidence": "seen",
        "--address": "https://plant.example", **changed,
    }  # fmt: skip
    code, _, err = terminal.site(
        "create", *(part for pair in given.items() for part in pair), typed=f"{PASSWORD}\n" * 2
    )
    assert code == 2
    assert why in err
    assert not terminal.folder.exists()


def test_a_weak_password_makes_no_site(terminal: Terminal) -> None:
    code, _, err = terminal.site("create", *REAL, typed="short\n" * 4)
    assert code == 1
    assert "A password has" in err
    assert not terminal.folder.exists()


def test_a_ledger_address_with_a_password_is_refused(terminal: Terminal) -> None:
    ledger = "postgresql://service:secret@db.example/cellwright"
    code, _, err = terminal.site("create", *REAL, "--ledger", ledger, typed=f"{PASSWORD}\n" * 4)
    assert code == 1
    assert "CELLWRIGHT_LEDGER" in err
    assert not terminal.folder.exists()


def test_a_checkpoint_is_printed_as_it_lies_outside(terminal: Terminal, tmp_path: Path) -> None:
    place = tmp_path / "auditor"
    place.mkdir()
    terminal.create("--place", place)
    code, out, _ = terminal.site("checkpoint")
    assert code == 0
    assert (place / "cellwright%2Fplant-1" / "checkpoint").read_text(encoding="utf-8") == out
    place.rename(tmp_path / "away")
    assert "is not there" in terminal.document("checkpoint", code=1)["away"][str(place)]
    assert terminal.document("status", code=1)["places"][0]["fault"]


# --- keys


@pytest.mark.requirement("R003")
def test_keys_are_changed_by_an_officer_and_the_old_sign_the_new(terminal: Terminal) -> None:
    first = terminal.create()["keys"]
    turned = terminal.document("rotate-key", "--by", "SO-1", "--reason", "yearly", typed=terminal.components("SO-1"))
    assert turned["keys"] != first
    with record_of(terminal.folder) as ledger:
        chain = key_chain(ledger)
        assert [[str(key) for key in keys] for keys in chain.sets] == [first, turned["keys"]]
        assert rotation.held(terminal.folder, chain)[0].verifier == chain.current[0]
    assert not (terminal.folder / rotation.NEXT).exists()
    assert terminal.run("verify", terminal.folder, "--key", first[0])[0] == 0
    assert terminal.document("status")["keys"] == turned["keys"]


def test_nobody_else_changes_keys(terminal: Terminal) -> None:
    first = terminal.create()["keys"]
    code, _, err = terminal.site("rotate-key", "--by", "SO-1", "--reason", "x", typed=f"{PASSWORD}\n000000\n")
    assert code == 1
    assert "wrong" in err
    with open_site(terminal.folder) as site:
        revoked = people.RoleRevoked(person="SO-1", role="security_officer", at=people.stamp(terminal.at))
        site.desk.record([Fact("person/SO-1", revoked)], small.INSTALLATION)
    code, _, err = terminal.site("rotate-key", "--by", "SO-1", "--reason", "x", typed=terminal.components("SO-1"))
    assert code == 1
    assert "role" in err
    assert terminal.document("status")["keys"] == first


class PowerCut(BaseException):
    """The machine goes away."""


@pytest.mark.parametrize("recorded", [False, True])
def test_a_crash_in_the_middle_of_a_change_leaves_keys_in_force(terminal: Terminal, recorded: bool) -> None:
    terminal.create()

    site, replace = open_site(terminal.folder), Path.replace

    def cut(self: Path, target: Path) -> Path:
        """The machine goes away before the keys are in their place."""
        if self.name.endswith(".next"):
            raise PowerCut
        return replace(self, target)

    def never(*_: object) -> None:
        raise PowerCut

    with pytest.MonkeyPatch.context() as broken:
        if recorded:
            broken.setattr(Path, "replace", cut)
        else:
            broken.setattr(site.publisher, "rotate", never)
        with pytest.raises(PowerCut):
            rotation.rotate(site, "SO-1", "yearly")
    assert (terminal.folder / rotation.NEXT).is_file()
    site.ledger.close()
    site.running.end()
    assert terminal.document("status")["key_fault"] == ""
    turned = terminal.document("rotate-key", "--by", "SO-1", "--reason", "again", typed=terminal.components("SO-1"))
    assert terminal.document("status")["keys"] == turned["keys"]
    assert terminal.run("verify", terminal.folder)[0] == 0


# --- witnesses


@pytest.mark.requirement("R003")
def test_a_witness_cosigns_what_it_saw_grow_and_nothing_else(terminal: Terminal, tmp_path: Path) -> None:
    terminal.create()
    with record_of(terminal.folder) as ledger:
        keys = witnessing.establish(tmp_path / "witness", "witness.example/1", key_chain(ledger))
    settings = terminal.folder / "site.toml"
    line = json.dumps([f"{tmp_path / 'witness'} {keys}"])
    settings.write_text(settings.read_text().replace("witnesses = []", f"witnesses = {line}"))
    assert terminal.document("checkpoint")["cosigned"] == len(keys.split())
    enrol = ("OP-1", "--name", "Operator", "--by", "SO-2")
    assert terminal.run("people", "enrol", terminal.folder, *enrol, typed=terminal.components("SO-2"))[0] == 0
    standing = terminal.document("status")
    assert standing["witnesses"][0]["size"] == standing["checkpoint"] == standing["events"], (
        "asked when the site closed"
    )
    assert terminal.run("verify", terminal.folder)[0] == 0
    (tmp_path / "witness" / "logs").rename(tmp_path / "forgotten")
    terminal.run("people", "enrol", terminal.folder, "OP-2", *enrol[1:], typed=terminal.components("SO-2"))
    assert "does not watch" in next(iter(terminal.document("checkpoint", code=1)["away"].values()))


# --- backups


def backed_up(terminal: Terminal, to: Path) -> dict[str, Path]:
    for part in ("record", "keys", "secrets"):
        assert terminal.document("backup", to / part, "--part", part)["size"] > 0
    return {f"--{part}": to / part for part in ("record", "keys", "secrets")}


def restored(terminal: Terminal, folder: Path, parts: dict[str, Path], code: int) -> dict[str, Any]:
    flat = [part for pair in parts.items() for part in pair]
    ended, out, err = terminal.run("site", "restore", folder, *flat, "--json")
    assert ended == code, (out, err)
    found: dict[str, Any] = json.loads(out)
    return found


def test_a_site_comes_back_from_its_three_parts(terminal: Terminal, tmp_path: Path) -> None:
    place = tmp_path / "auditor"
    place.mkdir()
    terminal.create("--place", place)
    with open_site(terminal.folder) as site:
        sealed = site.keys.encrypt_field("S-1", "somebody", "name")
        digest = site.files.put(b"a consent", "S-1")
        parts = backed_up(terminal, tmp_path / "copy")
    for part in parts.values():
        assert part.stat().st_mode & 0o077 == 0
    back = tmp_path / "back"
    found = restored(terminal, back, parts, 0)
    assert (found["events"], found["compared"], found["fault"]) == (9, [str(place)], None)
    with open_site(back) as site:
        assert site.keys.decrypt_field(sealed, "name") == "somebody"
        assert site.files.get(digest) == b"a consent"
        assert site.personal_keys.code_needed("x", "SO-1")
    assert terminal.run("verify", back)[0] == 0
    code, _, err = terminal.run("site", "restore", back, *(p for pair in parts.items() for p in pair))
    assert (code, "is not empty" in err) == (1, True)
    code, _, err = terminal.site("backup", tmp_path / "copy" / "keys", "--part", "keys")
    assert (code, "is not empty" in err) == (1, True)


@pytest.mark.requirement("R003")
def test_an_old_copy_is_recognised_by_a_checkpoint_outside(terminal: Terminal, tmp_path: Path) -> None:
    place = tmp_path / "auditor"
    place.mkdir()
    terminal.create("--place", place)
    parts = backed_up(terminal, tmp_path / "copy")
    enrol = ("OP-1", "--name", "Operator", "--by", "SO-2")
    assert terminal.run("people", "enrol", terminal.folder, *enrol, typed=terminal.components("SO-2"))[0] == 0
    found = restored(terminal, tmp_path / "back", parts, 1)
    assert "shows that it had" in found["fault"]


def test_a_copy_that_nobody_outside_knows_is_not_called_the_newest(terminal: Terminal, tmp_path: Path) -> None:
    terminal.create()
    found = restored(terminal, tmp_path / "back", backed_up(terminal, tmp_path / "copy"), 1)
    assert (found["compared"], found["fault"]) == ([], None)


def test_a_restore_destroys_what_was_destroyed(terminal: Terminal, tmp_path: Path) -> None:
    from cellwright.factory.order.subject import KeyDestroyed

    terminal.create()
    with open_site(terminal.folder) as site:
        site.keys.encrypt_field("S-1", "somebody", "name")
    old = backed_up(terminal, tmp_path / "old")
    with open_site(terminal.folder) as site:
        body = KeyDestroyed(subject="S-1", destroyed="S-1", assessor="QA-1", verifier="QA-2", law="1")
        site.desk.record([Fact("subject/S-1", body)], small.INSTALLATION)
    new = backed_up(terminal, tmp_path / "new")
    restored(terminal, tmp_path / "back", new | {"--keys": old["--keys"]}, 1)
    with open_site(tmp_path / "back") as site:
        assert site.keys.state("S-1") == "shredded"


def test_what_is_no_site_is_no_site(terminal: Terminal, tmp_path: Path) -> None:
    for verb in (("status",), ("checkpoint",), ("backup", tmp_path / "to")):
        code, _, err = terminal.site(*verb)  # type: ignore[arg-type]
        assert code == 2
        assert "holds no site" in err


# --- destroying


def employed(terminal: Terminal, person: str, role: str) -> None:
    """Somebody with a role and a personal key, as officers would have enrolled them."""
    with open_site(terminal.folder) as site:
        made = site.personal_keys.make(person, person.lower(), PASSWORD)
        key = made.command
        bodies = (
            people.Enrolled(person=person, account=person.lower(), printed_name=person),
            people.IdentityVerified(person=person, evidence="seen"),
            people.RoleGranted(person=person, role=role, since=small.SINCE),
            people.CredentialRegistered(
                person=person, credential=key.credential, means=key.means, public_key=key.public_key
            ),
        )
        site.desk.record([Fact(f"person/{person}", body) for body in bodies], small.INSTALLATION)
        terminal.secrets[person] = secret_of(made.code_address)


@pytest.mark.requirement("R014")
def test_two_people_destroy_a_key_at_the_terminal_where_the_law_allows_it(terminal: Terminal) -> None:
    terminal.create()
    for person in ("QA-1", "QA-2"):
        employed(terminal, person, "quality_assurance")
    with open_site(terminal.folder) as site:
        sealed = site.keys.encrypt_field("S-1", "somebody", "name")
        body = Registered(subject="S-1", personal={"name": Sealed(**sealed)})
        site.desk.record([Fact("subject/S-1", body)], small.INSTALLATION)
    asked = ("S-1", "--by", "QA-1", "--verifier", "QA-2", "--reason", "asked for")
    both = terminal.components("QA-1") + terminal.components("QA-2")
    code, _, err = terminal.site("destroy-key", *asked, typed=both)
    assert (code, "law" in err, "not approved" in err) == (1, True, True), err
    with open_site(terminal.folder) as site:
        digest = site.files.put(shipped.content("retention/law.yaml")).sha256
        approved = DefinitionApproved(
            kind="retention", definition="law", version="1", sha256=digest, author="PE-1", effective_from=small.SINCE
        )
        site.desk.record([Fact("definition/retention", approved)], small.INSTALLATION)
    both = terminal.components("QA-1") + f"{PASSWORD}\n{one_time_code.code(terminal.secrets['QA-2'], terminal.at)}\n"
    done = terminal.document("destroy-key", *asked, typed=both)
    assert (done["subject"], done["kept_until"], done["grounds"]) == ("S-1", None, [])
    with open_site(terminal.folder) as site:
        assert site.keys.state("S-1") == "shredded"
        assert [event.type for event in site.ledger.stream("subject/S-1")][:2] == [
            "subject.registered", "subject.key_destroyed",
        ]  # fmt: skip
    code, _, err = terminal.site("destroy-key", *asked, typed=both)
    assert (code, "destroyed under the retention rule" in err) == (1, True)
