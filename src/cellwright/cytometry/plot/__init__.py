"""Pictures of events and gates: our own SVG, the same on screen and in print.

from cellwright.cytometry.plot import View, draw_gates
"""

from cellwright.cytometry.plot.axis import Axis, Scale, Tick
from cellwright.cytometry.plot.gate import View, draw_gates, usual_scale
from cellwright.cytometry.plot.picture import Picture, density_plot, dot_plot, histogram
from cellwright.cytometry.plot.shape import Band, Cross, Outline, Shape

__all__ = [
    "Axis",
    "Band",
    "Cross",
    "Outline",
    "Picture",
    "Scale",
    "Shape",
    "Tick",
    "View",
    "density_plot",
    "dot_plot",
    "draw_gates",
    "histogram",
    "usual_scale",
]
