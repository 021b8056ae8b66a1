"""Label templates under version control."""

from dataclasses import replace

import pytest

from cellwright.identifier import Code, IdentifierError
from cellwright.identifier.label import LabelKind, TemplateRegister, first_register, print_label
from cellwright.identifier.label.template import FIRST_TEMPLATES

from . import example


@pytest.mark.requirement("R091")
@pytest.mark.parametrize("kind", LabelKind)
def test_an_obsolete_version_cannot_be_printed_and_is_archived(kind: LabelKind) -> None:
    first = first_register()
    old = first.for_print(kind)
    label = example.content(kind)
    assert print_label(label, first).content == label
    second = first.succeeded_by(replace(old, version=2))
    for wrong in (lambda: second.for_print(kind, 1), lambda: print_label(label, second)):
        with pytest.raises(IdentifierError) as caught:
            wrong()
        assert (caught.value.refusal.code, caught.value.refusal.requirement) == (Code.OBSOLETE_TEMPLATE, "R091")
        assert caught.value.refusal.form == f"{kind}/2"
    assert second.for_print(kind).version == 2
    assert second.archived(f"{kind}/1") == old


@pytest.mark.requirement("R091")
def test_an_unknown_or_future_version_cannot_be_printed() -> None:
    register = first_register()
    for version in (0, 2, -1):
        with pytest.raises(IdentifierError):
            register.for_print(LabelKind.CASSETTE, version)
    with pytest.raises(IdentifierError):
        register.archived("cassette/2")
    with pytest.raises(IdentifierError):
        TemplateRegister(FIRST_TEMPLATES, {}).for_print(LabelKind.CASSETTE)


def test_versions_follow_one_another() -> None:
    register = first_register()
    for version in (1, 3):
        with pytest.raises(IdentifierError):
            register.succeeded_by(replace(FIRST_TEMPLATES[0], version=version))


def test_every_kind_has_a_template() -> None:
    assert {template.kind for template in FIRST_TEMPLATES} == set(LabelKind)
