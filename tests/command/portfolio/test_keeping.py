"""The portfolio ledger: a ledger of its own that begins with the shipped statements and only grows."""

from pathlib import Path

import pytest

from cellwright.command.portfolio import ORIGIN, open_portfolio
from cellwright.command.portfolio.answers import answer
from cellwright.command.portfolio.difference import differences
from cellwright.command.portfolio.keeping import NotThePortfolio, home, working_calendar
from cellwright.factory.portfolio.product import interval
from cellwright.factory.portfolio.statement import Area, Dated
from cellwright.factory.record import REGISTER
from cellwright.ledger import Draft, open_ledger, verify
from tests.factory.portfolio.portfolios import SEEN, happened, words


def test_reading_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CELLWRIGHT_PORTFOLIO", str(tmp_path / "mine"))
    with open_portfolio() as portfolio:
        assert portfolio.book.find("MIL62") is not None
        assert portfolio.where is None
    assert not (tmp_path / "mine").exists()
    assert home() == tmp_path / "mine"


def test_it_begins_with_its_origin_and_opening_it_again_adds_nothing(tmp_path: Path) -> None:
    with open_portfolio(tmp_path, write=True) as portfolio:
        size = portfolio.ledger.head().size
        assert portfolio.ledger.event(0).body == {"origin": ORIGIN}
    with open_portfolio(tmp_path) as portfolio:
        assert portfolio.ledger.head().size == size
        assert verify(portfolio.ledger).ok


def test_the_ledger_of_something_else_is_not_taken_for_a_portfolio(tmp_path: Path) -> None:
    with open_ledger(tmp_path / "portfolio.db", create=True) as ledger:
        ledger.append([Draft(stream="lot/1", type="lot.created", id="1", actor="a", body={})])
    with pytest.raises(NotThePortfolio):
        open_portfolio(tmp_path)


def test_a_site_does_not_know_the_statements_of_a_portfolio() -> None:
    assert not any(name.startswith("portfolio.") for name, _schema in REGISTER)


def test_what_a_user_states_anew_is_not_undone_by_what_is_shipped(tmp_path: Path) -> None:
    with open_portfolio(tmp_path, write=True) as portfolio:
        old = portfolio.book.get(Dated, "at19-ind-approved")
        better = happened("ind_approved", "2024-02-05", "at19-ind-approved", programme="aT19-B-ALL")
        (outcome,) = portfolio.state([better], "ann", "the day was found")
        assert (outcome.what, outcome.before) == ("changed", old)
    with open_portfolio(tmp_path) as portfolio:
        assert portfolio.book.get(Dated, "at19-ind-approved").when == "2024-02-05"
        assert portfolio.ledger.stream("event/at19-ind-approved")[1].reason == "the day was found"
        (changed,) = [one for one in differences(portfolio.book) if one["id"] == "at19-ind-approved"]
        assert {"field": "when", "before": "2024-02", "after": "2024-02-05"} in changed["changes"]


def test_two_statements_of_one_name_in_one_go_follow_each_other(tmp_path: Path) -> None:
    first, second = (Area(id="moon", name=words(name), basis=SEEN) for name in ("moon", "the moon"))
    with open_portfolio(tmp_path, write=True) as portfolio:
        assert [one.what for one in portfolio.state([first, second, first], "ann")] == ["new", "changed", "known"]
        assert portfolio.ledger.version("area/moon") == 2


def test_what_concerns_a_name_is_found_with_its_history() -> None:
    with open_portfolio() as portfolio:
        found = portfolio.book.find("aT19")
        named = {(one["kind"], one["id"]) for one in differences(portfolio.book, found=found)}
    assert ("product", "aT19") in named and ("target", "aT19-cd19") in named


def test_every_thing_of_the_portfolio_has_an_answer() -> None:
    today = interval("2026-01-05").first
    with open_portfolio() as portfolio:
        for kind, name in portfolio.book.history:
            if kind in ("product", "programme", "party", "area", "trial", "condition"):
                found = portfolio.book.find(name)
                assert found is not None
                assert answer(portfolio.book, working_calendar(), found, on=None, today=today)
