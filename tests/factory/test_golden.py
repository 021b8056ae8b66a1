"""Every form of every event that was ever recorded is read by today's program (F12), byte for byte.

The golden events stand in `golden/events.jsonl`; `python -m tools.golden` adds those of new forms.
"""

import types
from typing import Any

import msgspec
import pytest

from cellwright.factory import record
from cellwright.factory.record import Body, UnknownEvent, read, upcast
from cellwright.ledger.event import decode
from tools import golden

KEPT = golden.kept()
FORMS = golden.forms()

WHAT_TO_DO = """
{form} is no longer read as it was stored: {why}

The stored form of an event never changes. If a site may have recorded it: give the changed body the next schema,
`@event("{type}", schema={next})`, write `@upcast("{type}", {schema})` from the old form to it, and leave the golden line as it is.
Only a form that was never released may be made anew: delete its line from tests/factory/golden/events.jsonl.
Then run `python -m tools.golden`.
"""


def explained(form: tuple[str, int], why: object) -> str:
    return WHAT_TO_DO.format(
        form=f"{form[0]} (schema {form[1]})", type=form[0], schema=form[1], next=form[1] + 1, why=why
    )


def test_every_form_has_its_golden_event() -> None:
    missing = sorted(set(FORMS) - set(KEPT))
    assert not missing, f"no golden event of {missing}: run `python -m tools.golden`"


@pytest.mark.parametrize("form", KEPT, ids=lambda form: f"{form[0]}.{form[1]}")
def test_a_golden_event_is_read_today(form: tuple[str, int]) -> None:
    line = KEPT[form]
    event = decode(line)
    try:
        body = read(event.type, event.schema, event.body)
    except (UnknownEvent, msgspec.ValidationError) as why:
        pytest.fail(explained(form, why))
    if form in FORMS:
        assert type(body) is FORMS[form]
        assert golden.rewritten(event) == line, explained(form, "it is written otherwise")
        assert set(event.body) == set(body.__struct_fields__), explained(form, "it has other fields")


def changed(kind: type[Body], *without: str, **more: Any) -> type[Body]:
    """The same type of body with fields left out or added."""
    fields = {f.name: (f.type, f.default) for f in msgspec.structs.fields(kind) if f.name not in without} | more
    annotated = {"__annotations__": {name: type_ for name, (type_, _) in fields.items()}}
    defaults = {name: default for name, (_, default) in fields.items() if default is not msgspec.NODEFAULT}
    made: type[Body] = types.new_class(kind.__name__, (Body,), {}, lambda space: space.update(annotated | defaults))
    made.type, made.schema = kind.type, kind.schema
    return made


PERSON = ("person.enrolled", 1)


@pytest.mark.parametrize(
    ("what", "kind"),
    [
        ("a field is gone", changed(FORMS[PERSON], "account")),
        ("a field has another name", changed(FORMS[PERSON], "account", login=(str, msgspec.NODEFAULT))),
        ("a field is another thing", changed(FORMS[PERSON], "account", account=(int, msgspec.NODEFAULT))),
        ("a field is needed that was not there", changed(FORMS[PERSON], born=(str, msgspec.NODEFAULT))),
        ("a field is there that was not", changed(FORMS[PERSON], born=(str, "unknown"))),
    ],
)
def test_a_changed_body_is_noticed_and_the_way_out_is_said(
    what: str, kind: type[Body], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(record.REGISTER, PERSON, kind)
    monkeypatch.setitem(FORMS, PERSON, kind)
    with pytest.raises((AssertionError, pytest.fail.Exception), match=r"upcast\(\"person.enrolled\", 1\)"):
        test_a_golden_event_is_read_today(PERSON)


def test_an_old_form_is_read_through_its_upcasters(monkeypatch: pytest.MonkeyPatch) -> None:
    """A renamed field, as the explanation says: the next schema, an upcaster, the golden line as it is."""
    new = changed(FORMS[PERSON], "account", login=(str, msgspec.NODEFAULT))
    new.schema = 2
    monkeypatch.delitem(record.REGISTER, PERSON)
    monkeypatch.delitem(FORMS, PERSON)
    monkeypatch.setitem(record.REGISTER, ("person.enrolled", 2), new)
    monkeypatch.setattr(record, "UPCASTERS", dict(record.UPCASTERS))

    @upcast("person.enrolled", 1)
    def login(body: dict[str, Any]) -> dict[str, Any]:
        return {"login" if name == "account" else name: value for name, value in body.items()}

    test_a_golden_event_is_read_today(PERSON)
    stored = decode(KEPT[PERSON]).body
    before = dict(stored)
    assert read("person.enrolled", 1, stored).login == before["account"]  # type: ignore[attr-defined]
    assert stored == before, "an upcaster does not change what it is given"
    with pytest.raises(AssertionError, match="read already"):
        upcast("person.enrolled", 1)(login)


def test_an_event_of_a_newer_program_is_refused() -> None:
    with pytest.raises(UnknownEvent, match="schema 99"):
        read("person.enrolled", 99, {})
