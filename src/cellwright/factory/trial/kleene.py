"""Strong Kleene logic (S. C. Kleene, Introduction to Metamathematics, 1952, section 64): true, false and unknown.

Unknown is `None`. A missing fact stays unknown until it cannot matter any more; it is never read as false, because a
missing test would then pass an exclusion.
"""

from collections.abc import Iterable

Truth = bool | None


def negation(one: Truth) -> Truth:
    return None if one is None else not one


def conjunction(many: Iterable[Truth]) -> Truth:
    """False if any is false; unknown if any is unknown; else true."""
    found = tuple(many)
    if False in found:
        return False
    return None if None in found else True


def disjunction(many: Iterable[Truth]) -> Truth:
    """True if any is true; unknown if any is unknown; else false."""
    found = tuple(many)
    if True in found:
        return True
    return None if None in found else False


def threshold(n: int, many: Iterable[Truth]) -> Truth:
    """Whether at least n are true: known as soon as the unknown ones cannot change it."""
    found = tuple(many)
    true, unknown = found.count(True), found.count(None)
    if true >= n:
        return True
    return None if true + unknown >= n else False


def choice(condition: Truth, then: Truth, otherwise: Truth) -> Truth:
    """`then` if the condition is true, `otherwise` if it is false; if it is unknown, what both agree on."""
    if condition is None:
        return then if then == otherwise else None
    return then if condition else otherwise
