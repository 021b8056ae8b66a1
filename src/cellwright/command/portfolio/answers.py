"""What is known of a product, a programme, a company, an area or a record, as plain values for a screen or a document.

Everything carries its source, its grade and its standing; texts are in both languages; dates are intervals.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import date
from typing import Any, Final

from cellwright.factory.definition import Basis, Text
from cellwright.factory.portfolio.book import Book, Found
from cellwright.factory.portfolio.clock import WorkingCalendar
from cellwright.factory.portfolio.milestone_calendar import Coming, milestones
from cellwright.factory.portfolio.precedence import check
from cellwright.factory.portfolio.product import interval
from cellwright.factory.portfolio.statement import (
    Agency,
    Alias,
    Area,
    Claim,
    Condition,
    Dated,
    Party,
    PortfolioProduct,
    Programme,
    RegisterRecord,
    Trial,
)
from cellwright.factory.portfolio.status import Status, agencies, status

Answer = dict[str, Any]


def told(text: Text | None) -> dict[str, str] | None:
    """A text in both languages."""
    return None if text is None else text.as_dict()


def told_basis(book: Book, basis: Basis) -> Answer:
    """Grade, what has to be said beside the statement, and where it comes from."""
    return {
        "grade": basis.grade,
        "standing": basis.standing,
        "sources": [{"source": key, "locator": book.locator(key)} for key in basis.sources],
        "note": told(basis.note),
    }


def told_when(when: str | None) -> Answer | None:
    """A date as written, with the interval it means."""
    if when is None:
        return None
    known = interval(when)
    return {"written": when, "first": known.first.isoformat(), "last": known.last.isoformat(),
            "precision": known.precision}  # fmt: skip


def event_answer(book: Book, event: Dated) -> Answer:
    return {
        "event": event.event,
        "id": event.id,
        "when": told_when(event.when),
        "agency": event.agency,
        "status": event.standing,
        "phase": event.phase,
        "text": told(event.text),
        "conflict": told(event.conflict),
        "basis": told_basis(book, event.basis),
    }


def status_answer(book: Book, found: Status) -> Answer:
    return {
        "agency": found.agency,
        "stage": found.stage,
        "since": told_when(found.since),
        "possible": found.possible,
        "undated": list(found.undated),
        "evidence": list(found.evidence),
        "designations": [
            {"name": one.name, "state": one.state, "when": told_when(one.when), "evidence": list(one.evidence),
             "sources": _sources(book, one.evidence)}
            for one in found.designations
        ],
    }  # fmt: skip


def _sources(book: Book, events: Iterable[str]) -> list[Answer]:
    found: dict[str, Answer] = {}
    for name in events:
        for source in told_basis(book, book.get(Dated, name).basis)["sources"]:
            found[source["source"]] = source
    return list(found.values())


def _conflicts(statements: Iterable[Dated | Trial | Alias | Claim]) -> Iterator[Answer]:
    """Statements that say with what they disagree."""
    return ({"id": one.id, "text": told(one.conflict)} for one in statements if one.conflict)


def claim_answer(book: Book, claim: Claim) -> Answer:
    checked = check(book, claim)
    return {
        "id": claim.id,
        "subject": claim.subject,
        "text": told(claim.text),
        "value": claim.value,
        "when": told_when(claim.when),
        "conflict": told(claim.conflict),
        "basis": told_basis(book, claim.basis),
        "checked": None
        if checked is None
        else {
            "verdict": checked.verdict,
            "own": checked.own,
            "others": list(checked.others),
            "programmes_compared": checked.compared,
        },
    }


def trial_answer(book: Book, trial: Trial) -> Answer:
    return {
        "id": trial.id,
        "title": told(trial.title),
        "phase": trial.phase,
        "numbers": [{"register": one.register, "value": one.value} for one in trial.numbers],
        "planned": trial.planned,
        "started": told_when(trial.started),
        "sponsor": trial.sponsor,
        "collaborators": list(trial.collaborators),
        "conflict": told(trial.conflict),
        "basis": told_basis(book, trial.basis),
        "records": [
            {"id": one.id, "form": one.form, "status": one.content.get("status", "not_stated"),
             "status_text": one.content.get("status_text", "")}
            for one in book.records(trial)
        ],
    }  # fmt: skip


def coming_answer(one: Coming) -> Answer:
    return {
        "programme": one.programme,
        "what": one.what,
        "event": one.event,
        "clock": one.clock,
        "first": one.first.isoformat(),
        "last": one.last.isoformat(),
        "state": one.state,
        "holidays_assumed": one.assumed,
        "clock_may_have_been_stopped": one.paused,
    }


def programme_answer(
    book: Book, calendar: WorkingCalendar, programme: Programme, *, on: date | None, today: date, agency: str = ""
) -> Answer:
    """A programme with its status per agency, its events, trials and what is to come.

    Args:
        on: the day for which the status is asked; None for everything recorded.
        today: the day from which the calendar looks ahead.
        agency: only this one; empty for all that are named.
    """
    asked: tuple[Agency, ...] = agencies(book, programme.id)
    if agency:
        asked = tuple(one for one in asked if one == agency)
    condition = book.get(Condition, programme.condition)
    events = book.events(programme.id)
    return {
        "id": programme.id,
        "product": programme.product,
        "condition": {"id": condition.id, "name": told(condition.name), "speciality": condition.speciality},
        "line": programme.line,
        "population": told(programme.population),
        "basis": told_basis(book, programme.basis),
        "status": [status_answer(book, status(book, programme.id, one, on)) for one in asked or ("",)],
        "events": [event_answer(book, one) for one in events],
        "applications": [
            {"id": one.id, "agency": one.agency, "form": one.form, "acceptance_number": one.acceptance_number,
             "registration_class": one.registration_class, "basis": told_basis(book, one.basis)}
            for one in book.applications(programme.id)
        ],
        "trials": [trial_answer(book, one) for one in book.trials(programme.id)],
        "calendar": [
            coming_answer(one) for one in milestones(book, calendar, today) if one.programme == programme.id
        ],
        "conflicts": [
            *_conflicts(events),
            *_conflicts(book.trials(programme.id)),
        ],
    }  # fmt: skip


def product_answer(
    book: Book, calendar: WorkingCalendar, product: PortfolioProduct, *, on: date | None, today: date, agency: str = ""
) -> Answer:
    """A product with everything that hangs on it."""
    claims = book.claims(product.id)
    aliases = book.aliases(product.id)
    programmes = [
        programme_answer(book, calendar, one, on=on, today=today, agency=agency) for one in book.programmes(product.id)
    ]
    return {
        "id": product.id,
        "name": told(product.name),
        "holder": product.holder,
        "holder_name": told(book.get(Party, product.holder).name),
        "modality": product.modality,
        "unit": product.unit,
        "autologous": product.autologous,
        "depends_on": product.depends_on,
        "needed_by": [one.id for one in book.all(PortfolioProduct) if one.depends_on == product.id],
        "registration_class": product.registration_class,
        "basis": told_basis(book, product.basis),
        "targets": [
            {"molecule": one.molecule, "relation": one.relation, "basis": told_basis(book, one.basis)}
            for one in book.targets(product.id)
        ],
        "aliases": [
            {"name": one.name, "language": one.language, "disputed": one.disputed, "conflict": told(one.conflict),
             "basis": told_basis(book, one.basis)}
            for one in aliases
        ],
        "programmes": programmes,
        "claims": [claim_answer(book, one) for one in claims],
        "conflicts": [
            *_conflicts(aliases),
            *_conflicts(claims),
            *(conflict for one in programmes for conflict in one["conflicts"]),
        ],
    }  # fmt: skip


def party_answer(book: Book, party: Party) -> Answer:
    """A company or another party: where it belongs, what it makes, what is said of it."""
    products = book.products_of(party.id)
    return {
        "id": party.id,
        "name": told(party.name),
        "role": party.role,
        "listing": party.listing,
        "basis": told_basis(book, party.basis),
        "memberships": [
            {"area": one.area, "area_name": told(book.get(Area, one.area).name), "by": one.by,
             "since": told_when(one.since), "until": told_when(one.until), "basis": told_basis(book, one.basis)}
            for one in book.memberships(party.id)
        ],
        "aliases": [
            {"name": one.name, "language": one.language, "disputed": one.disputed, "basis": told_basis(book, one.basis)}
            for one in book.aliases(party.id)
        ],
        "products": [line_answer(book, one) for one in products],
        "claims": [claim_answer(book, one) for one in book.claims(party.id)],
        "conflicts": [
            {"id": one.id, "text": told(one.conflict)} for one in book.claims(party.id) if one.conflict
        ],
    }  # fmt: skip


def line_answer(book: Book, product: PortfolioProduct) -> Answer:
    """A product in one line of a pipeline: per programme the furthest stage with any agency."""
    programmes = []
    for one in book.programmes(product.id):
        found = [status(book, one.id, agency) for agency in agencies(book, one.id) or ("",)]
        condition = book.get(Condition, one.condition)
        programmes.append({
            "id": one.id,
            "condition": told(condition.name),
            "status": [status_answer(book, each) for each in found],
        })  # fmt: skip
    return {
        "id": product.id,
        "name": told(product.name),
        "holder": product.holder,
        "modality": product.modality,
        "depends_on": product.depends_on,
        "basis": told_basis(book, product.basis),
        "programmes": programmes,
    }


def pipeline_answer(book: Book, area: str | None = None) -> list[Answer]:
    """Every product, or those whose holder belongs to an area, by holder. Raises KeyError for an unknown area."""
    if area is not None:
        book.within(area)
    members = None if area is None else {one.party for one in book.members(area)}
    products = [one for one in book.all(PortfolioProduct) if members is None or one.holder in members]
    return [line_answer(book, one) for one in products]


def area_answer(book: Book, area: Area) -> Answer:
    """An area: what is around it, who belongs to it, what is said of it."""
    parties = list(dict.fromkeys(one.party for one in book.members(area.id)))
    return {
        "id": area.id,
        "name": told(area.name),
        "within": list(book.within(area.id)[1:]),
        "basis": told_basis(book, area.basis),
        "parties": [{"id": one, "name": told(book.get(Party, one).name)} for one in parties],
        "aliases": [{"name": one.name, "language": one.language} for one in book.aliases(area.id)],
        "claims": [claim_answer(book, one) for one in book.claims(area.id)],
        "pipeline": pipeline_answer(book, area.id),
    }


def record_answer(book: Book, record: RegisterRecord) -> Answer:
    """A register record in the common form, with what stands only in the kept document."""
    return {
        "id": record.id,
        "register": record.register,
        "form": record.form,
        "number": record.number,
        "file_sha256": record.file_sha256,
        "record_sha256": record.record_sha256,
        "fields": dict(record.content),
        "unmapped": list(record.unmapped),
        "versions": len(book.history["record", record.id]),
    }


KINDS: Final[Mapping[str, str]] = {
    "product": "product", "programme": "programme", "party": "party", "area": "area", "trial": "trial",
    "condition": "condition", "record": "record",
}  # fmt: skip


def answer(
    book: Book, calendar: WorkingCalendar, found: Found, *, on: date | None, today: date, agency: str = ""
) -> Answer:
    """What is known of whatever a name means, under the name of its kind."""
    thing = found.thing
    make: Mapping[str, Callable[[], Answer]] = {
        "product": lambda: product_answer(book, calendar, thing, on=on, today=today, agency=agency),
        "programme": lambda: programme_answer(book, calendar, thing, on=on, today=today, agency=agency),
        "party": lambda: party_answer(book, thing),
        "area": lambda: area_answer(book, thing),
        "trial": lambda: trial_answer(book, thing),
        "condition": lambda: {"id": thing.id, "name": told(thing.name), "speciality": thing.speciality,
                              "programmes": [one.id for one in book.all(Programme) if one.condition == thing.id]},
        "record": lambda: record_answer(book, thing),
    }  # fmt: skip
    said: Answer = {KINDS[found.kind]: make[found.kind]()}
    if found.by is not None:
        said["found_by_alias"] = {"name": found.by.name, "disputed": found.by.disputed,
                                  "basis": told_basis(book, found.by.basis)}  # fmt: skip
    return said
