"""What can be drawn over events: an outline, a band on one axis, a cross of dividers; all on the transformed scale."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Outline:
    """A closed line through corners (x, y); infinite corners stand at the edge of the picture."""

    corners: tuple[tuple[float, float], ...]
    label: str = ""


@dataclass(frozen=True, slots=True)
class Band:
    """What lies between two values of the horizontal axis; infinite where it is open."""

    low: float
    high: float
    label: str = ""


@dataclass(frozen=True, slots=True)
class Cross:
    """Dividers of the horizontal and vertical axis, and what stands in the corners, counted from the lower left rightwards."""

    at_x: tuple[float, ...]
    at_y: tuple[float, ...]
    labels: tuple[str, ...] = ()


Shape = Outline | Band | Cross
