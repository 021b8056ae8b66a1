"""A site is for ever what its first event says: one line of `site.toml` makes nothing real simulated, nor the reverse."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from cellwright.command.signing import SoftwareAuthenticator
from cellwright.command.site import INSTALLATION, Settings, SettingsContradicted, create, open_site
from cellwright.factory import people
from cellwright.factory.record import Fact
from tests.cli.small import cellwright


@pytest.fixture(params=[False, True], ids=["real", "simulated"])
def site(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    settings = Settings(name="plant", title_en="Plant", title_zh="厂", facility="B1234", simulated=request.param)
    with create(tmp_path / "site", settings, start=datetime(2026, 3, 2, tzinfo=UTC)) as made:
        made.publish()
    return tmp_path / "site"


def altered(folder: Path, key: str, value: str) -> str:
    """One line of the settings set otherwise; gives the line as a refusal must name it."""
    file = folder / "site.toml"
    lines = file.read_text(encoding="utf-8").splitlines()
    (number,) = [n for n, line in enumerate(lines) if line.startswith(f"{key} =")]
    lines[number] = f"{key} = {value}"
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return f"line {number + 1}: “{lines[number]}”"


def found(folder: Path) -> list[dict[str, str]]:
    done = cellwright("verify", folder, "--json")
    said = json.loads(done.stdout)
    assert done.exit_code == (0 if said["ok"] else 1)
    findings: list[dict[str, str]] = said["findings"]
    return findings


@pytest.mark.requirement("R003")
@pytest.mark.parametrize("key", ["simulated", "name", "facility"])
def test_a_line_of_the_settings_that_contradicts_the_first_event_is_refused_and_found(site: Path, key: str) -> None:
    assert not found(site)
    real = "simulated = false" in (site / "site.toml").read_text(encoding="utf-8")
    value = {"simulated": "true" if real else "false", "name": '"other"', "facility": '"C5678"'}[key]
    line = altered(site, key, value)
    before = (site / "ledger.db").read_bytes()
    with pytest.raises(SettingsContradicted, match="first event") as refused:
        open_site(site)
    assert line in str(refused.value)
    assert (site / "ledger.db").read_bytes() == before
    findings = found(site)
    assert [one["kind"] for one in findings] == ["settings"]
    assert line in findings[0]["text"]


def test_a_line_left_out_counts_as_its_default(tmp_path: Path) -> None:
    settings = Settings(name="plant", title_en="Plant", title_zh="厂", simulated=True)
    create(tmp_path / "site", settings).close()
    file = tmp_path / "site" / "site.toml"
    file.write_text(file.read_text(encoding="utf-8").replace("simulated = true\n", ""), encoding="utf-8")
    with pytest.raises(SettingsContradicted, match="simulated"):
        open_site(tmp_path / "site")


def test_a_simulated_means_of_signing_on_a_real_site_is_a_finding(tmp_path: Path) -> None:
    settings = Settings(name="plant", title_en="Plant", title_zh="厂", facility="B1234")
    with create(tmp_path / "site", settings) as made:
        credential, key = SoftwareAuthenticator(made.desk.relying).enrol("OP-1")
        registered = people.CredentialRegistered(
            person="OP-1", credential=credential, means="webauthn", public_key=key, simulated=True
        )
        made.desk.record([Fact("person/OP-1", registered)], INSTALLATION)
    assert "simulated" in {one["kind"] for one in found(tmp_path / "site")}
