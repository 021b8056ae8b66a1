"""`cellwright people`: from an empty site to people at work, every change in somebody's name, every refusal said."""

import io
import json
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from cellwright.cli import app
from cellwright.command import one_time_code, personal_key
from cellwright.command.site import Settings, create, open_site, record_of
from cellwright.ledger import verify
from tests.command.test_personal_key import CHEAP, secret_of

PASSWORD = "seven cells in a warm bag"


class Terminal:
    """Runs the command line on one real site; an officer's codes come from ever later moments."""

    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str], patch: pytest.MonkeyPatch) -> None:
        self.folder, self.capsys, self.patch = folder, capsys, patch
        self.secrets: dict[str, bytes] = {}
        self.at = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
        patch.setattr(personal_key, "Cost", lambda: CHEAP)

    def run(self, verb: str, *arguments: str, typed: str = "") -> tuple[int, str, str]:
        self.patch.setattr("sys.stdin", io.StringIO(typed))
        with pytest.raises(SystemExit) as ended:
            app(["people", verb, str(self.folder), *arguments], prog_name="cellwright")
        said = self.capsys.readouterr()
        return int(str(ended.value.code or 0)), said.out, said.err

    def as_officer(
        self, verb: str, *arguments: str, more: str = "", password: str = PASSWORD, by: str = "SEC-1"
    ) -> tuple[int, str, str]:
        """Run a verb as an officer, with a code of a period that no code was used of yet."""
        self.at += timedelta(seconds=30)
        moment = self.at
        self.patch.setattr("cellwright.command.site.system_clock", lambda: moment)
        typed = f"{password}\n{one_time_code.code(self.secrets[by], moment)}\n{more}"
        return self.run(verb, *arguments, "--by", by, typed=typed)

    def key(self, person: str, password: str, again: str | None = None) -> tuple[int, str, str]:
        """Give a person a personal key: one officer hands a secret over, the other registers when it is shown."""
        code, out, err = self.as_officer("offer", person, "--json", more=f"{PASSWORD}\n")
        assert code == 0, err
        secret = json.loads(out)["one_time_secret"]
        more = f"{secret}\n{password}\n{again or password}\n{PASSWORD}\n"
        return self.as_officer("key", person, more=more, by="SEC-2")

    def people(self, verb: str = "list", *arguments: str) -> dict[str, dict[str, Any]]:
        code, out, _ = self.run(verb, *arguments, "--json")
        assert code == 0
        document = json.loads(out)
        assert document["schema"] == "cellwright.people.v1"
        return {person["person"]: person for person in document["people"]}


@pytest.fixture
def terminal(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Terminal:
    terminal = Terminal(tmp_path / "site", capsys, monkeypatch)
    monkeypatch.setattr("cellwright.command.site.system_clock", lambda: terminal.at)
    settings = Settings(name="real", title_en="Real", title_zh="真实", relying_id="cells.example.org")
    create(terminal.folder, settings).close()
    for person, name in (("SEC-1", "First officer"), ("SEC-2", "Second officer")):
        first = (person, "--name", name, "--evidence", "passport seen; statement 1", "--json")
        code, out, err = terminal.run("first", *first, typed=f"{PASSWORD}\n{PASSWORD}\n")
        assert code == 0, err
        terminal.secrets[person] = secret_of(json.loads(out)["code_address"])
    return terminal


@pytest.mark.requirement("R031")
@pytest.mark.requirement("R033")
def test_from_the_first_officer_to_an_operator_who_may_sign(terminal: Terminal) -> None:
    for verb, *arguments in (
        ("enrol", "OP-1", "--name", "Operator one"),
        ("verify", "OP-1", "--evidence", "passport seen; statement 2"),
        ("grant", "OP-1", "operator"),
        ("qualify", "OP-1", "aseptic_processing", "--until", "2027-03-02"),
    ):
        code, _, err = terminal.as_officer(verb, *arguments)
        assert code == 0, (verb, err)
    mine = "another sentence of mine"
    alone = terminal.as_officer("key", "OP-1", more=f"-\n{mine}\n{mine}\n{PASSWORD}\n")
    assert alone[0] == 1
    assert "[R031]" in alone[2], "one officer is not enough"
    code, out, err = terminal.key("OP-1", mine)
    assert code == 0, err
    assert "otpauth://totp/" in out
    entry = terminal.people()["OP-1"]
    assert entry["roles"] == ["operator"]
    assert entry["qualifications"] == ["aseptic_processing"]
    assert entry["may_sign"] is True
    assert entry["means"] == ["password_and_code"]
    assert terminal.people()["SEC-1"]["last_sign_in"] is not None
    with record_of(terminal.folder) as ledger:
        assert verify(ledger, processes=1).ok
        text = "".join(str(event) for event in ledger.read())
        assert ledger.stream("person/OP-1")[0].actor == "person/SEC-1"
    assert PASSWORD not in text and mine not in text


def test_the_installation_makes_two_officers_and_no_more(terminal: Terminal) -> None:
    again = ("SEC-3", "--name", "Third", "--evidence", "x")
    code, _, err = terminal.run("first", *again, typed=f"{PASSWORD}\n{PASSWORD}\n")
    assert code == 1
    assert "SEC-2 is or was a security officer" in err or "SEC-1 is or was a security officer" in err


@pytest.mark.requirement("R023")
def test_what_the_rules_refuse_is_said_with_its_rule(terminal: Terminal) -> None:
    for verb, arguments, rule in (
        ("grant", ("SEC-1", "operator"), "R023"),
        ("unlock", ("SEC-1", "--reason", "x"), "R029"),
        ("grant", ("ghost", "operator"), "R021"),
        ("train", ("SEC-1", "car-t-19", "1"), "R022"),
    ):
        code, out, err = terminal.as_officer(verb, *arguments)
        assert code == 1
        assert f"[{rule}]" in err
        assert out == ""


@pytest.mark.requirement("R029")
def test_wrong_passwords_lock_the_account_also_here(terminal: Terminal) -> None:
    for _ in range(5):
        code, _out, err = terminal.as_officer("grant", "SEC-1", "operator", password="not the password")
        assert code == 1
        assert "[R024]" in err
    code, _, err = terminal.as_officer("enrol", "OP-1", "--name", "Operator one")
    assert code == 1
    assert "[R029]" in err
    assert terminal.people()["SEC-1"]["locked"] is True


@pytest.mark.requirement("R032")
def test_who_could_release_on_a_day_is_answered_as_the_record_stood_then(terminal: Terminal) -> None:
    mine = "another sentence of mine"
    for verb, *arguments in (
        ("enrol", "QP-1", "--name", "Authorised person"),
        ("verify", "QP-1", "--evidence", "passport seen"),
        ("grant", "QP-1", "authorised_person"),
        ("qualify", "QP-1", "authorised_person"),
    ):
        code, _, err = terminal.as_officer(verb, *arguments)
        assert code == 0, err
    code, _, err = terminal.key("QP-1", mine)
    assert code == 0, err
    terminal.at += timedelta(days=10)
    assert terminal.as_officer("revoke", "QP-1", "authorised_person", "--reason", "moved")[0] == 0
    assert terminal.as_officer("deactivate", "QP-1", "--reason", "left")[0] == 0
    role = ("--role", "authorised_person")
    assert set(terminal.people("on", "2026-03-02", *role)) == set(), "at midnight nobody was enrolled"
    assert set(terminal.people("on", "2026-03-05", *role)) == {"QP-1"}
    assert set(terminal.people("on", "2026-03-20", *role)) == set()
    assert terminal.people("on", "2026-03-20")["QP-1"]["active"] is False
    assert terminal.run("on", "yesterday")[0] == 2
    assert terminal.run("on", "2026-03-02", "--role", "king")[0] == 2


@pytest.mark.requirement("R031")
def test_a_lost_means_is_revoked_and_its_secrets_destroyed(terminal: Terminal) -> None:
    mine = "another sentence of mine"
    assert terminal.as_officer("enrol", "OP-1", "--name", "Operator one")[0] == 0
    assert terminal.key("OP-1", mine)[0] == 0
    [credential] = terminal.people()["OP-1"]["credentials"]
    assert terminal.as_officer("lost", "OP-1", credential, "--reason", "telephone stolen")[0] == 0
    assert terminal.people()["OP-1"]["credentials"] == []
    with open_site(terminal.folder) as site:
        assert site.personal_keys._row("OP-1") is None


def test_passwords_that_differ_change_nothing_and_a_folder_without_a_site_is_wrong_usage(
    terminal: Terminal, tmp_path: Path
) -> None:
    assert terminal.as_officer("enrol", "OP-1", "--name", "Operator one")[0] == 0
    assert terminal.key("OP-1", PASSWORD, "another")[0] == 1
    terminal.folder = tmp_path / "nowhere"
    assert terminal.run("list")[0] == 2


def test_a_person_reads_lines_too(terminal: Terminal) -> None:
    code, out, _ = terminal.run("list")
    assert code == 0
    assert re.search(r"SEC-1 +First officer +security_officer +may sign +never signed in", out)
