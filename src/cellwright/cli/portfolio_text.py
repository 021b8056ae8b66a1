"""What `cellwright portfolio` prints for a person."""

from collections.abc import Iterable, Mapping
from typing import Any

from cellwright.cli.output import say
from cellwright.command.portfolio.wording import (
    EVENTS,
    FIELDS,
    FIGURES,
    GRADES,
    MILESTONES,
    MODALITIES,
    RELATIONS,
    STAGES,
    STANDINGS,
    UNITS,
    VERDICTS,
    said,
)
from cellwright.language import _, localized

Answer = Mapping[str, Any]


def tell(kind: str, told: Answer) -> None:
    """What is known of a thing."""
    alias = told.get("found_by_alias")
    if alias:
        text = _("{name} is a disputed name of it.") if alias["disputed"] else _("{name} is another name of it.")
        say(text.format(name=alias["name"]))
    {"product": _product, "programme": _programme, "party": _party, "area": _area, "trial": _trial,
     "record": _record, "condition": _condition}[kind](told[kind])  # fmt: skip


def _words(texts: Mapping[str, str] | None) -> str:
    return localized(texts) if texts else ""


def basis(told: Answer) -> str:
    """Grade, standing and sources in one bracket."""
    sources = ", ".join(one["source"] for one in told["sources"]) or "–"
    return f"[{told['grade']} · {said(GRADES, told['standing'])} · {sources}]"


def when(told: Answer | None) -> str:
    """An interval as it is known: the day, or from and to."""
    if told is None:
        return _("no date")
    return told["first"] if told["precision"] == "day" else f"{told['first']} – {told['last']}"


def _product(told: Answer) -> None:
    say(f"{told['id']}  {_words(told['name'])}  {basis(told['basis'])}")
    made = _("{modality}; made in {unit}; held by {holder}")
    say("  " + made.format(modality=said(MODALITIES, told["modality"]), unit=said(UNITS, told["unit"]),
                           holder=_words(told["holder_name"])))  # fmt: skip
    for one in told["targets"]:
        say(f"  {said(RELATIONS, one['relation'])} {one['molecule']}  {basis(one['basis'])}")
    if told["depends_on"]:
        say("  " + _("of use only with {product}").format(product=told["depends_on"]))
    for one in told["programmes"]:
        _programme(one)
    _claims(told["claims"])
    _conflicts(told["conflicts"])


def _programme(told: Answer) -> None:
    say(f"\n{told['id']}: {_words(told['condition']['name'])} {told['line']} {_words(told['population'])}".rstrip())
    for one in told["status"]:
        stage = f"  {one['agency'] or '–'}: {said(STAGES, one['stage'])}"
        if one["since"]:
            stage += f", {when(one['since'])}"
        if one["possible"] != one["stage"]:
            stage += " (" + _("possibly {stage}").format(stage=said(STAGES, one["possible"])) + ")"
        say(stage)
        for designation in one["designations"]:
            sources = ", ".join(each["source"] for each in designation["sources"])
            say(f"    {said(EVENTS, designation['name'])}: {said(STANDINGS, designation['state'])}, "
                f"{when(designation['when'])} [{sources}]")  # fmt: skip
    for one in told["events"]:
        say(f"  {when(one['when']):<25} {said(EVENTS, one['event'])}: {_words(one['text'])} {basis(one['basis'])}")
    for one in told["trials"]:
        _trial(one)
    for one in told["calendar"]:
        _coming(one)


def _coming(one: Answer) -> None:
    text = f"  {one['first']} – {one['last']}  {one['clock'] or one['event']}: {said(MILESTONES, one['state'])}"
    if one["holidays_assumed"]:
        text += "; " + _("part of it lies in years whose holidays are not known here")
    if one["clock_may_have_been_stopped"]:
        text += "; " + _("questions of the agency may have stopped the clock")
    say(text)


def _claims(claims: Iterable[Answer]) -> None:
    for one in claims:
        say(f"\n{one['subject']}: {_words(one['text'])} {basis(one['basis'])}")
        if one["checked"]:
            checked = _("{verdict}; {count} programmes compared")
            say("  " + checked.format(verdict=said(VERDICTS, one["checked"]["verdict"]),
                                      count=one["checked"]["programmes_compared"]))  # fmt: skip


def _conflicts(conflicts: Iterable[Answer]) -> None:
    listed = list(conflicts)
    if listed:
        say("\n" + _("Conflicts"))
    for one in listed:
        say(f"  ▲ {one['id']}: {_words(one['text'])}")


def _party(told: Answer) -> None:
    say(f"{told['id']}  {_words(told['name'])}  {told['listing']}  {basis(told['basis'])}")
    for one in told["memberships"]:
        say(
            "  "
            + _("belongs to {area}").format(area=_words(one["area_name"]))
            + f" ({one['by']}) {basis(one['basis'])}"
        )
    tell_pipeline(told["products"])
    _claims(told["claims"])
    _conflicts(told["conflicts"])


def _area(told: Answer) -> None:
    say(f"{told['id']}  {_words(told['name'])}  {' < '.join(told['within'])}")
    for one in told["parties"]:
        say(f"  {one['id']}  {_words(one['name'])}")
    tell_pipeline(told["pipeline"])
    _claims(told["claims"])


def _trial(told: Answer) -> None:
    say(f"  {told['id']}  {_words(told['title'])}  {basis(told['basis'])}")
    for one in told["records"]:
        say(f"    {one['id']}: {one['status_text'] or one['status']}")


def _condition(told: Answer) -> None:
    say(f"{told['id']}  {_words(told['name'])}  {told['speciality']}: {', '.join(told['programmes'])}")


def _record(told: Answer) -> None:
    fields = told["fields"]
    say(f"{told['id']}  {fields.get('title', '')}")
    for name in ("status_text", "phase", "enrolment", "sponsor"):
        if fields.get(name):
            say(f"  {name}: {fields[name]}")
    for name, one in fields.get("dates", {}).items():
        say(f"  {name}: {one['when'] or one.get('text', '')}")
    for one in fields.get("numbers", ()):
        say(f"  {one['register']} {one['value']} ({one['path']})")
    say("  " + _("{count} paths are only in the kept file").format(count=len(told["unmapped"])))


def tell_pipeline(lines: Iterable[Answer]) -> None:
    """Products in one line each, their programmes below."""
    for product in lines:
        say(f"{product['id']:<18} {said(MODALITIES, product['modality'])}  {basis(product['basis'])}")
        for programme in product["programmes"]:
            stages = "; ".join(f"{one['agency'] or '–'} {said(STAGES, one['stage'])}" for one in programme["status"])
            say(f"  {programme['id']:<26} {_words(programme['condition'])}: {stages}")


def tell_statistics(told: Answer) -> None:
    """Stated numbers with what they count."""
    for one in told["statistics"]:
        share = f", {one['share_pct']} %" if one["share_pct"] else ""
        say(f"{when(one['period'])}  {one['comparator'].replace('=', '')}{one['count']}{share}  {basis(one['basis'])}")
        say(f"  {_words(one['text'])}")
        totals = one["implied_totals"]
        if totals:
            whole = str(totals["exact"]) if totals["exact"] else f"{totals['first']} – {totals['last']}"
            say("  " + _("the share implies a total of {totals} in {area}").format(totals=whole, area=one["share_of"]))
        definition = one["definition"]
        if definition["unknown"]:
            left = ", ".join(said(FIELDS, name) for name in definition["unknown"])
            say("  ▲ " + _("definition unknown: {fields}").format(fields=left))
        say(f"  {said(FIGURES, one['standing'])}")
        for counted in one["ledger_counts"]:
            if counted["first_only"]:
                text = _("the ledger itself knows {certain} {unit} for certain and {possible} possibly")
                say("    " + text.format(certain=counted["certain"], possible=counted["possible"],
                                         unit=said(UNITS, counted["unit"])))  # fmt: skip
    for one in told["comparisons"]:
        if one["comparable"] is not True:
            fields = ", ".join(said(FIELDS, name) for name in (*one["differ"], *one["unknown"]))
            text = _("{first} and {second} are not known to be comparable: {fields}")
            say("▲ " + text.format(first=one["first"], second=one["second"], fields=fields))
    if not told["statistics"]:
        say(_("No number is stated for this area and period."))


def tell_import(told: Answer) -> None:
    """What became of each file."""
    for file in told["files"]:
        counts = {what: sum(one["what"] == what for one in file["records"]) for what in ("new", "changed", "known")}
        if file["error"]:
            say(_("✕ {file}: kept, not read: {why}").format(file=file["file"], why=file["error"]))
        elif file["note"]:
            say(f"○ {file['file']}: {file['note']}")
        else:
            text = _("✓ {file}: {new} new, {changed} changed, {known} known")
            say(text.format(file=file["file"], **counts))
        for one in file["records"]:
            for change in one["changes"]:
                say(f"    {one['id']} {change['field']}: {_short(change['before'])} → {_short(change['after'])}")
    for one in told["merged"]:
        say(_("One trial: {records} ({numbers})").format(records=", ".join(one["records"]),
                                                         numbers=", ".join(one["numbers"])))  # fmt: skip


def _short(value: object) -> str:
    text = "–" if value is None else str(value)
    return text if len(text) <= 80 else text[:77] + "..."


def tell_differences(told: Iterable[Answer]) -> None:
    """What changed, a line per field."""
    listed = list(told)
    for one in listed:
        say(f"{one['recorded_at'][:19]}  {one['what']}  {one['kind']}/{one['id']}")
        for change in one["changes"]:
            say(f"    {change['field']}: {_short(change['before'])} → {_short(change['after'])}")
    if not listed:
        say(_("Nothing changed."))


def tell_calendar(told: Answer) -> None:
    """What is to come, and how far holidays are known."""
    for one in told["coming"]:
        say(one["programme"])
        _coming(one)
    say(_("Holidays are known up to {day}; after it only weekends are counted as free.").format(
        day=told["holidays_known_to"]))  # fmt: skip
