# ruff: noqa: T201 - a program that speaks on standard output
"""Tells what a dossier holds: the verdict first, then the patient's story, in English or Chinese.

Standard library only; the last part of the stand-alone verifier, which brings the Chinese of every sentence with it.
"""

import json
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from cellwright.command.dossier.check import verify_dossier
from cellwright.command.dossier.finding import Findings, Problem
from cellwright.command.dossier.phrases import PHRASES
from cellwright.command.dossier.words import WORDS
from cellwright.language import N_

CHINESE: dict[str, str] = {}
"""Sentence -> the same in Chinese; filled in the stand-alone verifier."""
BACKGROUND = ("person", "definition", "equipment", "material", "room", "site", "ledger", "laboratory")
"""Rooms whose events a story rests on without telling them."""
USAGE = N_(
    "usage: verify_dossier.py DOSSIER.zip [--key VERIFIER_KEY]... [--checkpoint NOTE]... [--witness KEY]... "
    "[--language en|zh] [--json]"
)
STATUS = {
    "release.released": N_("released"),
    "release.exceptionally_supplied": N_("exceptional supply, not released"),
    "release.rejected": N_("rejected"),
    "release.completed": N_("released, all results arrived"),
    "release.suspended": N_("suspended"),
    "release.suspension_lifted": N_("suspension lifted"),
    "release.recalled": N_("recalled"),
}
"""Event type -> what the lot is after it."""
KEY_SHOWN = 72
"""Characters of a verifier key that are shown."""


class _Gaps(dict[str, Any]):
    def __missing__(self, key: str) -> str:
        return "–"


class Teller:
    """Says things in one language."""

    def __init__(self, language: str) -> None:
        self.chinese = language.startswith("zh")

    def say(self, text: str, **values: object) -> str:
        """A sentence of ours in this language, its values filled in."""
        said = {key: self.word(value) if isinstance(value, str) else value for key, value in values.items()}
        return (CHINESE.get(text, text) if self.chinese else text).format_map(_Gaps(said))

    def word(self, value: str) -> str:
        """A value that is a sentence or a code of ours, such as the reason of a problem or a role; else as it stands."""
        return CHINESE.get(WORDS.get(value, value), value) if self.chinese else value

    def problem(self, problem: Problem) -> str:
        """A problem in words."""
        return self.say(problem.text, **problem.values)

    def event(self, event: dict[str, Any]) -> str:
        """One event in words; an event type without a sentence is shown by its name."""
        phrase = PHRASES.get(event["type"])
        if phrase is None:
            return str(event["type"])
        shown = {key: shown_value(value, self.word) for key, value in event["body"].items()}
        return (CHINESE.get(phrase, phrase) if self.chinese else phrase).format_map(_Gaps(shown))

    def story(self, events: list[dict[str, Any]]) -> list[str]:
        """A line for each event of the lot, its order, transport and testing: when, what, who; signatures indented."""
        lines = []
        for event in events:
            if event["stream"].partition("/")[0] in BACKGROUND:
                continue
            if event["type"] == "signature.applied":
                lines.append(f"{'':22}✓ {self.event(event)}")
                continue
            actor = event["actor"].partition("/")[2]
            lines.append(f"{event['at'][:19].replace('T', ' ')}Z  {self.event(event)}  [{actor}]")
        return lines

    def status(self, events: list[dict[str, Any]], lot: str) -> str:
        """What the release decisions say of the lot, as a sentence."""
        said = [event for event in events if event["stream"] == f"release/{lot}" and event["type"] in STATUS]
        if not said:
            return self.say(N_("Status: NOT RELEASED; no decision is recorded."))
        last = said[-1]
        state = STATUS[last["type"]]
        if last["type"] == "release.released" and last["body"].get("awaited"):
            state = N_("released with results pending")
        return self.say(
            N_("Status: {status}, {at}, {actor}"), status=state, at=last["at"][:19] + "Z", actor=last["actor"][7:]
        )

    def report(self, found: Findings) -> str:
        """The whole report as text."""
        lines = []
        if found.simulated:
            lines += [self.say(N_("SIMULATED, NOT FOR HUMAN USE")), ""]
        lines.append(self.say(N_("Everything holds.") if found.ok else N_("SOMETHING DOES NOT HOLD:")))
        lines += [f"  ✕ {self.problem(problem)}" for problem in found.problems]
        if not found.ok:
            return "\n".join(lines)
        lines += ["", *self._facts(found), *self._trust(found), "", *self.story(found.events)]
        return "\n".join(lines)

    def _facts(self, found: Findings) -> list[str]:
        manifest = found.manifest
        title = found.events[0]["body"]["title"]["zh" if self.chinese else "en"]
        lines = [
            self.say(
                N_("Site {site}, lot {lot}, chain of identity {coi}"),
                site=title,
                lot=manifest["lot"],
                coi=manifest["coi"] or "–",
            ),
            self.status(found.events, manifest["lot"]),
            self.say(
                N_(
                    "{events} events, {signatures} signatures, {files} files; the record had {size} events at the checkpoint."
                ),
                events=len(found.events),
                signatures=found.signatures,
                files=found.files,
                size=manifest["size"],
            ),
        ]
        sealed, opened = len(manifest["sealed"]), len(manifest["opened"])
        if sealed:
            text = N_("{count} of the files are about the patient and stay encrypted; their hashes are checked.")
            lines.append(self.say(text, count=sealed))
        if opened:
            text = N_("{count} of these are enclosed opened too; that they were opened rightly is the site's word.")
            lines.append(self.say(text, count=opened))
        if manifest["destroyed"]:
            text = N_("What was recorded about {people} was destroyed under the retention rule.")
            lines.append(self.say(text, people=", ".join(map(str, manifest["destroyed"]))))
        if manifest["withheld"]:
            lines.append(self.say(N_("{count} files are not enclosed."), count=len(manifest["withheld"])))
        if manifest["shared"]:
            text = N_("{count} events also name material of somebody else, such as a mix-up that was stopped.")
            lines.append(self.say(text, count=len(manifest["shared"])))
        if found.elsewhere:
            text = N_("Signatures also cover {count} events of other records, of which only the hashes are here.")
            lines.append(self.say(text, count=found.elsewhere))
        return lines

    def _trust(self, found: Findings) -> list[str]:
        lines = []
        if found.post_quantum:
            lines.append(
                self.say(N_("Post-quantum signatures (ML-DSA-44) were checked with: {what}"), what=found.post_quantum)
            )
        if found.compared:
            lines.append(self.say(N_("The record continues the checkpoints you hold: {count}"), count=found.compared))
        lines += self._witnessed(found)
        if found.pinned:
            lines.append(self.say(N_("The site's keys are the ones you know.")))
        else:
            text = N_("The site's keys are taken from the dossier. Compare them with what the site published:")
            lines += [self.say(text), *(f"  {key[:KEY_SHOWN]}{'…' * (len(key) > KEY_SHOWN)}" for key in found.keys)]
        text = N_("A signature by password and code proves the key; that both were asked for is the site's word.")
        if any(e["type"] == "signature.applied" and e["body"]["means"] == "password_and_code" for e in found.events):
            lines.append(self.say(text))
        return lines

    def _witnessed(self, found: Findings) -> list[str]:
        """Who else saw this record, and how far it is proven that nothing is left out."""
        lines = []
        for name, at, known in dict.fromkeys(found.witnesses):
            text = N_("Cosigned by the witness {name}, {at}; its key is named by the site.")
            if known:
                text = N_("Cosigned by the witness {name}, {at}, whose key you know.")
            lines.append(self.say(text, name=name, at=datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")))
        if not found.witnesses:
            lines.append(self.say(N_("No witness cosigned this checkpoint.")))
        if found.timestamps:
            text = N_("{count} time stamps (RFC 3161) name this checkpoint; check their signatures with openssl ts.")
            lines.append(self.say(text, count=found.timestamps))
        if found.reviewed is not None and not found.reviewed[2]:
            text = N_(
                "Making and testing are proven complete up to the review, {at}: all {count} events that the reviewer signed are here."
            )
            lines.append(self.say(text, at=found.reviewed[0][:19] + "Z", count=found.reviewed[1]))
        elif found.reviewed is not None:
            text = N_("Of the {count} events that the reviewer signed, {missing} are not here.")
            lines.append(self.say(text, count=found.reviewed[1], missing=found.reviewed[2]))
        lines.append(
            self.say(N_("That nothing else is left out at the end of a stream is the site's word, under its seal."))
        )
        return lines


def shown_value(value: Any, word: Callable[[str], str] = str) -> str:
    """A value of a body for a reader: lists and parts are written out, shortly; `word` says what a code is called."""
    if isinstance(value, bool):
        return "+" if value else "–"
    if isinstance(value, list):
        return ", ".join(shown_value(one, word) for one in value)
    if isinstance(value, dict):
        named = [key for key in ("container", "bag", "material", "parameter", "name") if key in value]
        amount = [str(value[key]) for key in ("value", "quantity", "unit") if key in value]
        return " ".join([*(word(str(value[key])) for key in named[:1]), *map(word, amount)]) or f"({len(value)})"
    return word(str(value))


def main(arguments: list[str]) -> int:
    """Run as a program. Returns the exit code: 0 everything holds, 1 something does not, 2 wrong use."""
    pins: list[str] = []
    notes: list[str] = []
    witnesses: list[str] = []
    paths: list[str] = []
    language, as_json = "en", False
    rest = iter(arguments)
    for word in rest:
        if word == "--key":
            pins.append(next(rest, ""))
        elif word == "--checkpoint":
            notes.append(next(rest, ""))
        elif word == "--witness":
            witnesses.append(next(rest, ""))
        elif word == "--language":
            language = next(rest, "")
        elif word == "--json":
            as_json = True
        else:
            paths.append(word)
    teller = Teller(language)
    if len(paths) != 1 or paths[0].startswith("-") or language[:2] not in ("en", "zh"):
        print(teller.say(USAGE), file=sys.stderr)
        return 2
    try:
        archive, held = Path(paths[0]).read_bytes(), [Path(note).read_bytes() for note in notes]
    except OSError as error:
        print(teller.say(N_("{path} cannot be read."), path=str(error.filename)), file=sys.stderr)
        return 2
    found = verify_dossier(archive, pins, held, witnesses)
    print(json.dumps(summary(found, teller), ensure_ascii=False, sort_keys=True) if as_json else teller.report(found))
    return 0 if found.ok else 1


def summary(found: Findings, teller: Teller) -> dict[str, Any]:
    """The report as one JSON document."""
    return {
        "schema": "cellwright.dossier-report/1",
        "simulated": found.simulated,
        "ok": found.ok,
        "problems": [teller.problem(problem) for problem in found.problems],
        "lot": found.manifest.get("lot"),
        "coi": found.manifest.get("coi"),
        "size": found.manifest.get("size"),
        "events": len(found.events),
        "signatures": found.signatures,
        "files": found.files,
        "keys_pinned": found.pinned,
        "checkpoints_compared": found.compared,
        "witnesses": [{"name": name, "at": at, "known": known} for name, at, known in found.witnesses],
        "timestamps": found.timestamps,
        "reviewed": found.reviewed
        and {"at": found.reviewed[0], "events": found.reviewed[1], "missing": found.reviewed[2]},
        "destroyed": found.manifest.get("destroyed", []),
        "post_quantum": found.post_quantum,
        "story": teller.story(found.events) if found.ok else [],
    }
