"""Eligibility: a protocol's criteria judged against what is known, with an explanation and what to find out next.

Eligible means: every inclusion is true and every exclusion is false. One inclusion that is false or one exclusion that
is true makes the patient not eligible, whatever else is unknown. Anything in between is unknown, and unknown never
enrols: a missing test does not pass an exclusion (Law 6). Adding a known fact never turns a verdict back to unknown.
"""

from collections.abc import Iterator
from typing import Literal

from cellwright.factory.record import Immutable
from cellwright.factory.trial.evidence import Evidence
from cellwright.factory.trial.kleene import Truth, choice, conjunction, disjunction, negation, threshold
from cellwright.factory.trial.leaf import Missing, Node, leaf
from cellwright.factory.trial.protocol import Criterion, Protocol, Rule, rule_sha256

Verdict = Literal["eligible", "not_eligible", "unknown"]


class Line(Immutable):
    """One node of an explanation: a rule in words, what was found, what follows."""

    depth: int
    rule: str
    """The rule in the field's signs, for example `karnofsky >= 70 %`; the same in both languages."""
    found: str
    truth: Truth
    missing: Missing | None = None


class CriterionResult(Immutable):
    """A criterion judged. `met` is None while it is unknown."""

    label: str
    kind: Literal["inclusion", "exclusion"]
    truth: Truth
    rule_sha256: str
    lines: tuple[Line, ...]

    @property
    def met(self) -> Truth:
        return self.truth if self.kind == "inclusion" else negation(self.truth)


class Judgement(Immutable):
    """The verdict of a protocol version, with everything it rests on."""

    verdict: Verdict
    protocol: str
    protocol_version: str
    protocol_sha256: str
    criteria: tuple[CriterionResult, ...]

    @property
    def failed(self) -> tuple[str, ...]:
        """Labels of the criteria that speak against the patient."""
        return tuple(one.label for one in self.criteria if one.met is False)

    @property
    def unknown(self) -> tuple[str, ...]:
        return tuple(one.label for one in self.criteria if one.met is None)

    @property
    def missing(self) -> tuple[Missing, ...]:
        """What to find out next: what still matters, each once, in the order of the protocol."""
        found = (line.missing for one in self.criteria if one.met is None for line in one.lines)
        return tuple(dict.fromkeys(missing for missing in found if missing is not None))


def judge(protocol: Protocol, evidence: Evidence) -> Judgement:
    """Judge a patient by a protocol."""
    results = tuple(_criterion(criterion, evidence) for criterion in protocol.criteria)
    met = conjunction(result.met for result in results)
    verdict: Verdict = "unknown" if met is None else "eligible" if met else "not_eligible"
    return Judgement(
        verdict=verdict,
        protocol=protocol.id,
        protocol_version=protocol.version,
        protocol_sha256=protocol.sha256,
        criteria=results,
    )


def _criterion(criterion: Criterion, evidence: Evidence) -> CriterionResult:
    tree = _tree(criterion.rule, evidence)
    return CriterionResult(
        label=criterion.label,
        kind=criterion.kind,
        truth=tree.truth,
        rule_sha256=rule_sha256(criterion.rule),
        lines=tuple(_lines(tree, 0)),
    )


def _lines(node: Node, depth: int, *, matters: bool = True) -> Iterator[Line]:
    """The tree as lines. What is unknown below a node that is known does not matter any more, and is not asked for."""
    matters = matters and node.truth is None
    missing = node.missing if matters else None
    yield Line(depth=depth, rule=node.rule, found=node.found, truth=node.truth, missing=missing)
    for inner in node.inner:
        yield from _lines(inner, depth + 1, matters=matters)


def truth(rule: Rule, evidence: Evidence) -> Truth:
    """The truth of one rule."""
    return _tree(rule, evidence).truth


def _tree(rule: Rule, evidence: Evidence) -> Node:
    if rule.all is not None:
        inner = tuple(_tree(one, evidence) for one in rule.all)
        return Node(rule="all", truth=conjunction(one.truth for one in inner), inner=inner)
    if rule.any is not None:
        inner = tuple(_tree(one, evidence) for one in rule.any)
        return Node(rule="any", truth=disjunction(one.truth for one in inner), inner=inner)
    if rule.negated is not None:
        one = _tree(rule.negated, evidence)
        return Node(rule="not", truth=negation(one.truth), inner=(one,))
    if rule.at_least is not None:
        inner = tuple(_tree(one, evidence) for one in rule.at_least.of)
        n = rule.at_least.n
        return Node(rule=f"at least {n}", truth=threshold(n, (one.truth for one in inner)), inner=inner)
    if rule.condition is not None and rule.then is not None:
        return _choice(rule.condition, rule.then, rule.otherwise, evidence)
    return leaf(rule, evidence)


def _choice(condition: Rule, then: Rule, otherwise: Rule | None, evidence: Evidence) -> Node:
    asked, yes = _tree(condition, evidence), _tree(then, evidence)
    no = Node(rule="else", truth=True) if otherwise is None else _tree(otherwise, evidence)
    inner = (asked, yes, no) if asked.truth is None else (asked, yes if asked.truth else no)
    return Node(rule="if", truth=choice(asked.truth, yes.truth, no.truth), inner=inner)
