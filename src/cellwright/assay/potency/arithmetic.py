"""Factors as bioassay files write them: numbers, + - * /, brackets and square roots; nothing else is evaluated."""

import ast
import math
import operator
from collections.abc import Callable
from typing import Final

_TWO: Final[dict[type[ast.operator], Callable[[float, float], float]]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
}
LENGTH_MAX: Final = 200


class NotArithmetic(ValueError):
    """Text that is no plain arithmetic."""


def number(text: str) -> float:
    """The value of an arithmetic expression.

    Raises:
        NotArithmetic: anything but numbers, + - * /, brackets and sqrt(), or no finite value.
    """
    if len(text) > LENGTH_MAX:
        raise NotArithmetic(f"{len(text)} characters of arithmetic; at most {LENGTH_MAX}")
    try:
        value = _value(ast.parse(text.strip(), mode="eval").body)
    except (SyntaxError, ZeroDivisionError, OverflowError) as fault:
        raise NotArithmetic(f"{text!r} is no arithmetic") from fault
    if not math.isfinite(value):
        raise NotArithmetic(f"{text!r} has no finite value")
    return value


def _value(node: ast.expr) -> float:
    if isinstance(node, ast.Constant) and isinstance(node.value, int | float) and not isinstance(node.value, bool):
        return float(node.value)
    if isinstance(node, ast.BinOp) and type(node.op) in _TWO:
        return _TWO[type(node.op)](_value(node.left), _value(node.right))
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        return -_value(node.operand)
    if (
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id == "sqrt"
        and len(node.args) == 1
    ):
        return math.sqrt(_value(node.args[0]))
    raise NotArithmetic(f"{ast.unparse(node)!r} is no number")
