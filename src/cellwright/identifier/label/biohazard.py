"""The biohazard symbol that 21 CFR 1271.3(h) shows, drawn from the circles of its standard construction.

Measures of the construction (29 CFR 1910.1030(g) shows the same figure): three discs of diameter 30 whose centres lie 11
from the middle, three holes of diameter 21 at 15, a hole of diameter 6 in the middle, slots 4 wide outwards and 1 wide
inwards, and a ring of radius 10 to 13.5 inside the holes.
"""

from typing import Final

_ANGLES: Final = (0, 120, 240)
#: Side of the square that holds the symbol, in units of the construction; its middle is the origin.
SIDE: Final = 56.0


def _turned(shape: str) -> str:
    return "".join(f'<g transform="rotate({angle})">{shape}</g>' for angle in _ANGLES)


_DISC: Final = '<circle cy="-11" r="15"/>'
_HOLE: Final = '<circle cy="-15" r="10.5"/><path d="M-2-30h4v12h-4zM-.5-7h1v7h-1z"/>'
_INSIDE: Final = "".join(f'<circle cy="-15" r="9.5" transform="rotate({angle})"/>' for angle in _ANGLES)
_RING: Final = '<circle r="11.75" fill="none" stroke="#000" stroke-width="3.5"/>'
_SYMBOL: Final = (
    f'<g fill="#000">{_turned(_DISC)}</g><g fill="#fff">{_turned(_HOLE)}<circle r="3"/></g>'
    f'<clipPath id="holes">{_INSIDE}</clipPath><g clip-path="url(#holes)">{_RING}</g>'
)


def biohazard(x: float, y: float, side: float) -> str:
    """The symbol as an SVG group in a square of ``side`` with its upper left corner at ``x``, ``y``."""
    scale = side / SIDE
    return f'<g transform="translate({x + side / 2:.2f} {y + side * 0.54:.2f}) scale({scale:.4f})">{_SYMBOL}</g>'
