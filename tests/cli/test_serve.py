"""`cellwright serve --tls`: HTTPS with the site's own certificate, or with one that is brought."""

import ssl
import urllib.error
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography import x509

from cellwright.command import certificate
from cellwright.command.certificate import own
from tests.cli.serving import served
from tests.cli.small import cellwright

HOSTS = ("https://plant.example", "https://plant.example:8443")


def names(chain: Path) -> set[str]:
    found = x509.load_pem_x509_certificate(chain.read_bytes())
    return {str(one.value) for one in found.extensions.get_extension_for_class(x509.SubjectAlternativeName).value}


def test_a_site_answers_over_https_with_its_own_certificate(bench: Path) -> None:
    made = own(bench, ())
    with served(bench, "--tls", authority=made.chain) as site:
        status, page = site.get("/sign-in")
        assert status == 200
        assert "SIMULATED" in page
        assert site.get("/sign-in", "127.0.0.1")[0] == 200
        site.authority = Path(ssl.get_default_verify_paths().cafile or "/etc/ssl/certs/ca-certificates.crt")
        if site.authority.is_file():
            with pytest.raises(urllib.error.URLError, match="certificate"):
                site.get("/sign-in")


def test_a_certificate_that_is_brought_is_used(bench: Path, tmp_path: Path) -> None:
    made = own(tmp_path / "elsewhere", ())
    with served(bench, "--tls", "--cert", str(made.chain), "--key", str(made.key), authority=made.chain) as site:
        assert site.get("/sign-in")[0] == 200
    assert not (bench / certificate.CHAIN).exists()


def test_a_certificate_without_its_key_or_without_tls_is_wrong_usage(bench: Path, tmp_path: Path) -> None:
    made = own(tmp_path, ())
    for options in (("--tls", "--cert", made.chain), ("--cert", made.chain, "--key", made.key)):
        assert cellwright("serve", bench, *options).exit_code == 2


def test_the_certificate_names_the_hosts_of_the_site(tmp_path: Path) -> None:
    made = own(tmp_path, HOSTS, "0.0.0.0")
    assert names(made.chain) == {"localhost", "127.0.0.1", "::1", "plant.example"}
    assert made.key.stat().st_mode & 0o077 == 0


def test_it_is_kept_while_it_is_good_and_made_anew_when_not(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = own(tmp_path, ())
    first = made.chain.read_bytes()
    assert own(tmp_path, ()).chain.read_bytes() == first
    assert own(tmp_path, HOSTS).chain.read_bytes() != first, "it did not name the site's host"
    second = made.chain.read_bytes()
    monkeypatch.setattr(certificate, "RENEW_BEFORE", certificate.LIFE + timedelta(days=1))
    assert own(tmp_path, HOSTS).chain.read_bytes() != second, "it ends soon"
