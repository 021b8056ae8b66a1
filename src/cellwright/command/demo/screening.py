"""Simulated screening: the facts of a patient who meets a protocol, made from the protocol's own rules."""

from cellwright.factory.trial.protocol import Measured, Protocol, Rule

ADULT, CHILD = 48, 12
"""Completed years at consent of the simulated adults and children."""


def meeting(protocol: Protocol, day: str) -> dict[str, str]:
    """Evidence, in the flat form of `trial.evidence`, with which every inclusion is true and every exclusion false.

    Args:
        day: the day of consent, screening and enrolment, and of every finding.
    """
    facts: dict[str, str] = {"on.consent": day, "on.enrolment": day, "on.screening": day}
    for criterion in protocol.criteria:
        _settle(criterion.rule, criterion.kind == "inclusion", facts, day)
    return facts


def _settle(rule: Rule, wanted: bool, facts: dict[str, str], day: str) -> None:
    """Add the facts that make a rule true, or false."""
    if rule.all is not None:
        for part in rule.all if wanted else rule.all[:1]:
            _settle(part, wanted, facts, day)
    elif rule.any is not None:
        for part in rule.any[:1] if wanted else rule.any:
            _settle(part, wanted, facts, day)
    elif rule.negated is not None:
        _settle(rule.negated, not wanted, facts, day)
    elif rule.at_least is not None:
        for part in rule.at_least.of:
            _settle(part, wanted, facts, day)
    elif rule.condition is not None:
        _settle_either(rule, wanted, facts, day)
    else:
        _state(rule, wanted, facts, day)


def _settle_either(rule: Rule, wanted: bool, facts: dict[str, str], day: str) -> None:
    """Both branches, so that either age group is served."""
    for part in (rule.then, rule.otherwise):
        if part is not None:
            _settle(part, wanted, facts, day)


def _state(rule: Rule, wanted: bool, facts: dict[str, str], day: str) -> None:
    if rule.age is not None:
        adult = rule.age.op in (">", ">=") and rule.age.years > CHILD
        facts.setdefault(f"age@{rule.age.at}", str(ADULT if adult else CHILD))
    elif rule.measured is not None:
        _measure(rule.measured, wanted, facts, day)
    elif rule.has is not None:
        facts[rule.has.var] = (rule.has.code or "yes") if wanted else "no"
        facts[f"{rule.has.var}.on"] = day
    elif rule.event is not None:
        facts[rule.event.var] = "yes" if wanted else "no"
        facts[f"{rule.event.var}.on"] = day
    elif rule.lab is not None:
        other = "negative" if rule.lab.result == "positive" else "positive"
        facts[rule.lab.test] = rule.lab.result if wanted else other
        facts[f"{rule.lab.test}.on"] = day
    elif rule.prior_product is not None:
        facts.setdefault(f"prior.{rule.prior_product.product}", "infused" if wanted else "not_infused")
    elif rule.attest is not None:
        facts[f"attest.{rule.attest.statement}"] = "yes" if wanted else "no"
        facts[f"attest.{rule.attest.statement}.by"] = rule.attest.by


def _measure(rule: Measured, wanted: bool, facts: dict[str, str], day: str) -> None:
    """A number on the side of the limit that is wanted."""
    step = {"<": (-1, 0), "<=": (0, 1), "==": (0, 1), ">=": (0, -1), ">": (1, 0)}[rule.op][0 if wanted else 1]
    facts[rule.var] = format(rule.value + step, "f")
    facts[f"{rule.var}.on"] = day
    if rule.unit:
        facts[f"{rule.var}.unit"] = rule.unit
    if rule.method:
        facts[f"{rule.var}.method"] = rule.method
