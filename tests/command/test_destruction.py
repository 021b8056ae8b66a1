"""A subject's key is destroyed at a site: the event first, then the key; everything verifies, nothing can be read (D6)."""

from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path

import pytest

from cellwright.command.demo.cast import by
from cellwright.command.signing import SoftwareAuthenticator
from cellwright.command.site import INSTALLATION, Site, open_site
from cellwright.command.verification import verify_site
from cellwright.factory import people
from cellwright.factory.approval import Approve
from cellwright.factory.destruction import DestroyKey
from cellwright.factory.order.reveal import Reveal
from cellwright.factory.order.subject import Register, Sealed
from cellwright.factory.record import Fact
from cellwright.factory.rule import Refusal
from cellwright.ledger.files import FileRef
from cellwright.ledger.subject_keys import SubjectShredded
from tests.cli import small

NAME = "Wáng Fāng"
DESTROY = DestroyKey(subject="S-1", reason="asked for", verifier="QA-2")


class Bench:
    """The small site with a subject whose name and consent are sealed, and devices to sign with."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self.signer = SoftwareAuthenticator(site.desk.relying)
        for name, role in (("CO-1", "coordinator"), ("QA-8", "quality_assurance"), ("QA-9", "quality_assurance")):
            credential, key = self.signer.enrol(name)
            bodies = (
                people.Enrolled(person=name, account=name.lower(), printed_name=name),
                people.IdentityVerified(person=name, evidence="test"),
                people.RoleGranted(person=name, role=role, since=small.SINCE),
                people.CredentialRegistered(
                    person=name, credential=credential, means="webauthn", public_key=key, simulated=True
                ),
            )
            site.desk.record([Fact(f"person/{name}", body) for body in bodies], INSTALLATION)
        sealed = site.keys.encrypt_field("S-1", NAME, "name")
        site.desk.do(Register(subject="S-1", personal={"name": Sealed(**sealed)}), by("CO-1"), self.signer)
        site.keys.remember("S-1", "name", NAME)
        self.sealed = sealed
        self.consent = site.files.put(f"consent of {NAME}".encode(), "S-1")
        law = files("cellwright.shipped").joinpath("retention", "law.yaml").read_bytes()
        digest = site.files.put(law).sha256
        approve = Approve(kind="retention", definition="law", version="1", sha256=digest, author="PE-1")
        site.desk.do(approve, by("QA-8"), self.signer)

    def destroy(self) -> None:
        command = DestroyKey(subject="S-1", reason="asked for", verifier="QA-9")
        self.site.desk.do(command, by("QA-8"), self.signer)


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    small.build(tmp_path / "site")
    with open_site(tmp_path / "site") as site:
        yield Bench(site)


def unreadable(site: Site, sealed: dict[str, str], consent: FileRef) -> None:
    with pytest.raises(SubjectShredded):
        site.keys.decrypt_field(sealed, "name")
    with pytest.raises(SubjectShredded):
        site.files.get(consent)
    assert site.keys.find("name", NAME) == []
    with pytest.raises(SubjectShredded):
        site.keys.encrypt_field("S-1", "somebody new", "name")
    with pytest.raises(Refusal, match="destroyed under the retention rule"):
        site.desk.do(Reveal(subject="S-1", fields=("name",), purpose="label"), by("CO-1"))


@pytest.mark.requirement("R014")
@pytest.mark.requirement("R075")
def test_the_key_goes_with_the_event_and_everything_still_verifies(bench: Bench) -> None:
    site = bench.site
    assert site.keys.decrypt_field(bench.sealed, "name") == NAME
    bench.destroy()
    unreadable(site, bench.sealed, bench.consent)
    result = verify_site(site.ledger, folder=site.folder, settings=site.settings, processes=1)
    assert result.ok, result.findings


def test_without_both_signatures_the_key_stays(bench: Bench) -> None:
    with pytest.raises(Refusal, match="needs the signature"):
        bench.site.desk.do(DESTROY, by("QA-8"))
    assert bench.site.keys.decrypt_field(bench.sealed, "name") == NAME


class PowerCut(BaseException):
    """The machine goes away."""


def test_a_crash_between_the_event_and_the_key_is_made_good_at_the_next_start(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    def cut(_: object) -> int:
        raise PowerCut

    site = bench.site
    with monkeypatch.context() as broken:
        broken.setattr(site.keys, "destroy_again", cut)
        with pytest.raises(PowerCut):
            bench.destroy()
    assert site.keys.state("S-1") == "present"
    assert site.ledger.stream("subject/S-1")[1].type == "subject.key_destroyed"
    site.close()
    with open_site(site.folder) as again:
        assert again.recovery.keys_destroyed == 1
        unreadable(again, bench.sealed, bench.consent)


def test_an_event_of_destruction_without_signatures_is_found(bench: Bench) -> None:
    from cellwright.factory.order.subject import KeyDestroyed

    body = KeyDestroyed(subject="S-1", destroyed="S-1", assessor="QA-8", verifier="QA-9", law="1")
    bench.site.desk.record([Fact("subject/S-1", body)], INSTALLATION)
    result = verify_site(bench.site.ledger, processes=1)
    assert [finding.kind for finding in result.findings] == ["signature"]
