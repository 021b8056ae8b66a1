"""`cellwright flow`: raw FCS files read, checked, counted, drawn and converted. One module for each verb."""

import typer

from cellwright.cli.flow.check import check
from cellwright.cli.flow.convert import convert
from cellwright.cli.flow.count import count
from cellwright.cli.flow.example import example
from cellwright.cli.flow.info import info
from cellwright.cli.flow.plot import plot
from cellwright.cli.flow.propose import propose
from cellwright.language import _

app = typer.Typer(add_completion=False, no_args_is_help=True)


@app.callback()
def _flow() -> None:
    """Read, check, count, draw and convert raw FCS files."""


app.command(
    help=_("Say what files hold: data sets, channels, what was repaired in reading; or what is wrong with them.")
)(info)
app.command(help=_("Count the events of every gate, in one file or many; or give the figures of an analysis."))(count)
app.command(help=_("Judge the course of an acquisition: flow rate, drift of the signals, margin events, doublets."))(
    check
)
app.command(
    help=_("Draw each gate over its parent's events as SVG; with an analysis also as a report on paper (.pdf).")
)(plot)
app.command(help=_("Find the gates of a template in a sample; what is written is proposed, and a person approves it."))(
    propose
)
app.command(help=_("Write the events in another form: .parquet, .csv or .fcs (3.1), on the scale of the light."))(
    convert
)
app.command(help=_("Write a simulated sample with its analysis and its gates, to try everything on."))(example)
