"""`cellwright trial`: may a patient enter a trial, which acts stay shut, and what is still to be found out?"""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cellwright.cli.output import Exit, print_document, say, stop
from cellwright.language import _, localized

if TYPE_CHECKING:
    from cellwright.factory.library import Library
    from cellwright.factory.trial.eligibility import Judgement
    from cellwright.factory.trial.evidence import Evidence
    from cellwright.factory.trial.patient import Patient
    from cellwright.factory.trial.protocol import Protocol

app = typer.Typer(
    add_completion=False, no_args_is_help=True, help="Trials: protocols and who may enter them. / 临床试验。"
)

SCHEMA = "cellwright.trial-check/1"
LIST = "cellwright.trials/1"
ACTS = ("order", "collection", "manufacture", "release", "infusion")


@app.command("list")
def list_(json: Annotated[bool, typer.Option("--json", help="One JSON document. / 输出 JSON。")] = False) -> None:
    """The protocols that come with the program, how much of each is public, and who judges what."""
    from cellwright.factory.trial.protocol import Protocol

    protocols = _library().all(Protocol)
    if json:
        print_document(LIST, {"protocols": [_head(one) for one in protocols]})
        return
    for one in protocols:
        machine = sum(criterion.evaluability == "machine" for criterion in one.criteria)
        say(f"{one.id}  {one.version}  {one.product}  {localized(one.title.as_dict())}")
        counts = _("{machine} criteria by machine, {attest} by a person").format(
            machine=machine, attest=len(one.criteria) - machine
        )
        say("    " + counts + ("" if one.complete else "; " + _("not all of the protocol is public")))


def _head(protocol: "Protocol") -> dict[str, Any]:
    return {
        "id": protocol.id, "version": protocol.version, "sha256": protocol.sha256, "product": protocol.product,
        "registration": protocol.registration, "title": protocol.title.as_dict(), "complete": protocol.complete,
        "scope": protocol.scope.as_dict(),
        "criteria": {
            "machine": [c.label for c in protocol.criteria if c.evaluability == "machine"],
            "judgement": [c.label for c in protocol.criteria if c.evaluability == "attest"],
        },
    }  # fmt: skip


@app.command()
def check(
    patient: Annotated[
        Path, typer.Option(metavar="FILE", help="What is known of the patient (YAML or JSON). / 患者文件。")
    ],
    protocol: Annotated[str, typer.Option(metavar="ID", help="The protocol. / 方案编号。")],
    site: Annotated[
        Path | None, typer.Option(metavar="SITE", help="A site whose record tells of earlier infusions. / 站点文件夹。")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="One JSON document. / 输出 JSON。")] = False,
) -> None:
    """Judge a patient by a protocol: verdict, why, what to measure next, and which acts stay shut."""
    from cellwright.factory.rule import Refusal
    from cellwright.factory.trial.eligibility import judge
    from cellwright.factory.trial.patient import evidence_of, read_patient

    library = _library()
    asked = _protocol(library, protocol)
    try:
        who = read_patient(_parsed(patient))
        evidence = evidence_of(who, _recorded(site, who))
    except Refusal as refusal:
        stop(_(refusal.text).format(**refusal.values) + " " + _(refusal.remedy), Exit.USAGE)
    found = judge(asked, evidence)
    gates = _gates(library, asked, evidence, found)
    if json:
        print_document(SCHEMA, _document(asked, found, gates))
    else:
        _tell(asked, found, gates)
    held = any(gate["open"] is not True for gate in gates.values())
    raise typer.Exit(Exit.OK if found.verdict == "eligible" and not held else Exit.FINDING)


def _library() -> "Library":
    from cellwright import shipped
    from cellwright.factory.library import read_library

    return read_library(shipped.texts())


def _protocol(library: "Library", name: str) -> "Protocol":
    from cellwright.factory.trial.protocol import Protocol

    known = {one.id: one for one in library.all(Protocol)}
    by_number = {one.registration: one for one in known.values() if one.registration}
    chosen = known.get(name) or by_number.get(name)
    if chosen is None:
        names = ", ".join(known)
        stop(_("There is no protocol {name}; known are {names}.").format(name=name, names=names), Exit.USAGE)
    return chosen


def _parsed(file: Path) -> Any:
    import yaml

    try:
        return yaml.safe_load(file.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        stop(_("{path} cannot be read: {why}").format(path=file, why=error), Exit.USAGE)


def _recorded(site: Path | None, patient: "Patient") -> dict[str, bool]:
    """What the site's own record says of the products the file names a chain for."""
    chains = {product: prior.chain for product, prior in patient.prior.items() if prior.chain}
    if site is None or not chains:
        return {}
    from cellwright.command.dossier.source import open_reading
    from cellwright.command.prior_infusion import infused
    from cellwright.command.site import NoSite
    from cellwright.ledger import LedgerError

    try:
        with open_reading(site) as reading:
            answers = {product: infused(reading, chain, product) for product, chain in chains.items()}
    except (NoSite, LedgerError) as error:
        stop(str(error), Exit.USAGE)
    return {product: answer for product, answer in answers.items() if answer is not None}


def _gates(library: "Library", protocol: "Protocol", evidence: "Evidence", found: "Judgement") -> dict[str, Any]:
    """The acts of the product that wait for eligibility or for another product, and whether they may go on."""
    from cellwright.factory.portfolio.gate import Facts, gate
    from cellwright.factory.portfolio.product import Product

    product = library.get(Product, protocol.product)
    if not product.personal:
        return {}
    eligible = {"eligible": True, "not_eligible": False, "unknown": None}[found.verdict]
    waits = [one.product for one in product.gates if one.product]
    facts = Facts(eligibility=eligible, infused={name: evidence.prior.get(name) for name in waits})
    answers: dict[str, Any] = {}
    for act in ACTS:
        opening = gate(product, act, facts)  # type: ignore[arg-type]
        asked = {"eligibility", "prior_product_infused"}
        if not any(one.act == act and one.needs in asked for one in product.gates):
            continue
        unmet = [_need(one.needs, one.product) for one in opening.unmet if one.needs in asked]
        unknown = [_need(one.needs, one.product) for one in opening.unknown if one.needs in asked]
        answers[act] = {"open": False if unmet else None if unknown else True, "unmet": unmet, "unknown": unknown}
    return answers


def _need(needs: str, product: str | None) -> str:
    return f"{needs}({product})" if product else needs


def _document(protocol: "Protocol", found: "Judgement", gates: dict[str, Any]) -> dict[str, Any]:
    texts = {criterion.label: criterion for criterion in protocol.criteria}
    criteria = [
        {
            "label": one.label, "kind": one.kind, "met": one.met, "item": texts[one.label].item,
            "text": texts[one.label].text.as_dict(), "judged_by": texts[one.label].evaluability,
            "rule_sha256": one.rule_sha256,
            "explanation": [
                {"depth": line.depth, "rule": line.rule, "found": line.found, "value": line.truth} for line in one.lines
            ],
        }
        for one in found.criteria
    ]  # fmt: skip
    return {
        "verdict": found.verdict,
        "protocol": found.protocol,
        "protocol_version": found.protocol_version,
        "protocol_sha256": found.protocol_sha256,
        "complete": protocol.complete,
        "scope": protocol.scope.as_dict(),
        "failed": list(found.failed),
        "unknown": list(found.unknown),
        "find_out": [{"name": m.name, "why": m.why, "by": m.by} for m in found.missing],
        "acts": gates,
        "criteria": criteria,
    }


def _verdicts() -> dict[str, str]:
    return {
        "eligible": _("Eligible"),
        "not_eligible": _("Not eligible"),
        "unknown": _("Unknown, so not eligible yet"),
    }


def _whys() -> dict[str, str]:
    return {
        "absent": _("nothing is recorded"),
        "undated": _("its day is not recorded"),
        "moment_unknown": _("the day it is counted from is not recorded"),
        "outside_window": _("it lies outside the protocol's window"),
        "other_moment": _("it was found at another visit"),
        "other_unit": _("its unit cannot be converted to the protocol's"),
        "other_method": _("it was measured by another method"),
        "not_a_number": _("it is not a number"),
        "calendar": _("the calendar allows two readings"),
        "sign": _("nobody has signed it in the role that must"),
    }


def _acts() -> dict[str, str]:
    return {
        "order": _("order"),
        "collection": _("collection"),
        "manufacture": _("manufacture"),
        "release": _("release"),
        "infusion": _("infusion"),
    }


def _waited(need: str) -> str:
    """What a gate waits for, in words."""
    name, _bracket, product = need.rstrip(")").partition("(")
    if name == "prior_product_infused":
        return _("the infusion of {product}").format(product=product)
    return _("the protocol's verdict eligible")


def _tell(protocol: "Protocol", found: "Judgement", gates: dict[str, Any]) -> None:
    say(f"{_verdicts()[found.verdict]}  {protocol.id} {protocol.version}  {localized(protocol.title.as_dict())}")
    texts = {criterion.label: localized(criterion.text.as_dict()) for criterion in protocol.criteria}
    for label in found.failed:
        say("  ✗ " + label + "  " + texts[label])
    for label in found.unknown:
        say("  ? " + label + "  " + texts[label])
    if found.missing:
        say(_("To find out next:"))
        whys = _whys()
        for missing in found.missing:
            role = f" ({missing.by})" if missing.by else ""
            say(f"  {missing.name}{role}: {whys[missing.why]}")
    for act, gate in gates.items():
        if gate["open"] is not True:
            unmet = [_("{what} (it is not so)").format(what=_waited(one)) for one in gate["unmet"]]
            unknown = [_("{what} (nothing proves it)").format(what=_waited(one)) for one in gate["unknown"]]
            said = _("{act} is held: it waits for {wanted}.")
            say(said.format(act=_acts()[act], wanted=", ".join(unmet + unknown)))
    say(localized(protocol.scope.as_dict()))
