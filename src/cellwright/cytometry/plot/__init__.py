"""Pictures of events and gates: our own SVG, the same on screen and in print.

from cellwright.cytometry.plot import Axis, density_plot
"""

from cellwright.cytometry.plot.axis import Axis, Scale, Tick
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
    "density_plot",
    "dot_plot",
    "histogram",
]
