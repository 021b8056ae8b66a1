"""The portfolio's pages: what they say stands with its source, in both languages; unknown names are not found."""

import pytest
from django.test import Client

from cellwright.site.house import House

PAGES = (
    "/portfolio", "/portfolio/areas/beijing-e-town", "/portfolio/companies/immunotech",
    "/portfolio/companies/mab-works", "/portfolio/products/MIL62", "/portfolio/products/aT19", "/portfolio/products/EAL",
    "/portfolio/products/MIL93", "/portfolio/programmes/MIL62-PMN", "/portfolio/pipeline",
)  # fmt: skip


@pytest.mark.parametrize("address", PAGES)
def test_every_page_opens_in_both_languages(house: House, quality: Client, address: str) -> None:
    for language in ("en", "zh-Hans"):
        quality.get(f"/language/{language}?next=/")
        answer = quality.get(address)
        assert answer.status_code == 200, answer.content.decode()[-400:]
        assert f'lang="{language}"' in answer.content.decode()
    quality.get("/language/en?next=/")


def test_the_cluster_shows_its_number_with_what_is_unknown_of_it(house: House, quality: Client) -> None:
    text = quality.get("/portfolio").content.decode()
    for words in ("106", "57 %", "185 – 187", "Definition unknown", "The report on the cluster", "62"):
        assert words in text, words


def test_a_product_shows_its_designation_its_conflicts_and_its_sources(house: House, quality: Client) -> None:
    text = quality.get("/portfolio/products/MIL62").content.decode()
    for words in ("breakthrough therapy", "2023-06-01", "MIL162", "flcube.com/?p=17591", "<svg", "not contradicted"):
        assert words in text, words


def test_what_is_from_memory_is_marked(house: House, quality: Client) -> None:
    assert "from memory, not verified" in quality.get("/portfolio/products/MIL93").content.decode()


@pytest.mark.parametrize("address", ["/portfolio/areas/moon", "/portfolio/companies/none", "/portfolio/products/none"])
def test_what_the_ledger_does_not_know_is_not_found(house: House, quality: Client, address: str) -> None:
    assert quality.get(address).status_code == 404


def test_nobody_reads_it_without_signing_in(house: House) -> None:
    assert Client().get("/portfolio").status_code in (302, 403)
