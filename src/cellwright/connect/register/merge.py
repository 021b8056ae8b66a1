"""Records of one trial in several registers, brought together by the numbers they state, with the evidence."""

from collections.abc import Iterable
from typing import NamedTuple

from cellwright.factory.portfolio.statement import RegisterRecord


class Evidence(NamedTuple):
    """Why two records are of one trial: this record states that number, there."""

    record: str
    number: str
    path: str


class Group(NamedTuple):
    """Records of one trial. `mentions` are numbers that a record only mentions; they merge nothing."""

    records: tuple[str, ...]
    numbers: tuple[str, ...]
    evidence: tuple[Evidence, ...]
    mentions: tuple[Evidence, ...]


def groups(records: Iterable[RegisterRecord]) -> tuple[Group, ...]:
    """Bring records together whose own or surely stated numbers are the same, in the order of their first record."""
    listed = list(records)
    parent: dict[str, str] = {}

    def root(name: str) -> str:
        while parent.setdefault(name, name) != name:
            parent[name] = parent[parent[name]]
            name = parent[name]
        return name

    stated = {one.id: tuple(_stated(one)) for one in listed}
    for one in listed:
        for evidence, sure in stated[one.id]:
            if sure:
                parent[root(f"number/{evidence.number}")] = root(f"record/{one.id}")
    together: dict[str, list[RegisterRecord]] = {}
    for one in listed:
        together.setdefault(root(f"record/{one.id}"), []).append(one)
    return tuple(_group(members, stated) for members in together.values())


def base(number: str, register: str) -> str:
    """A number without what tells one record of a trial from another: the member state, the resubmission."""
    if register == "euctr":
        return "-".join(number.split("-")[:3])
    return number[:-3] if register == "ctis" and number.count("-") == 3 else number


def _stated(record: RegisterRecord) -> Iterable[tuple[Evidence, bool]]:
    yield Evidence(record.id, base(record.number, record.register), "number of the record"), True
    for one in record.content.get("numbers", ()):
        number = base(str(one["value"]), str(one["register"]))
        yield Evidence(record.id, number, str(one["path"])), bool(one.get("sure", True))


def _group(members: list[RegisterRecord], stated: dict[str, tuple[tuple[Evidence, bool], ...]]) -> Group:
    every = [pair for one in members for pair in stated[one.id]]
    counted: dict[str, int] = {}
    for evidence, sure in every:
        counted[evidence.number] = counted.get(evidence.number, 0) + sure
    return Group(
        records=tuple(one.id for one in members),
        numbers=tuple(dict.fromkeys(evidence.number for evidence, sure in every if sure)),
        evidence=tuple(evidence for evidence, sure in every if sure and counted[evidence.number] > 1),
        mentions=tuple(evidence for evidence, sure in every if not sure),
    )
