"""A Chinese reader is told the codes of the record in Chinese; in English they stand as they are recorded."""

from types import ModuleType

from cellwright.command.dossier.standalone import titles
from cellwright.command.dossier.words import WORDS
from cellwright.language import CHINESE, translate


def test_every_word_has_its_chinese() -> None:
    assert [text for text in WORDS.values() if translate(text, CHINESE) == text] == []


def test_roles_meanings_verdicts_and_step_titles_are_told_in_chinese(verifier: ModuleType) -> None:
    signed = {
        "type": "signature.applied",
        "body": {"printed_name": "A", "person": "A-1", "role": "coordinator", "meaning": "verified"},
    }
    judged = {"type": "pair.donor_status_decided", "body": {"status": "eligible", "legends": ["autologous_use_only"]}}
    began = {"type": "lot.step_started", "body": {"step": "wash", "title": "Wash cells"}}
    chinese, english = verifier.Teller("zh"), verifier.Teller("en")
    told = " ".join(map(chinese.event, (signed, judged, began)))
    for code in ("coordinator", "verified", "eligible", "autologous_use_only", "Wash cells"):
        assert code not in told
        assert code in " ".join(map(english.event, (signed, judged, began)))
    assert titles()["Wash cells"] in told
