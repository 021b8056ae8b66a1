"""`serve --demo`: a simulated plant whose patients' stories go on while the screens are up, and benches to work at.

The story is the demonstration's own, told at a pace that eyes can follow; at its end a few lots stand in the middle of
their making, for whoever sits at the screen. Simulated time runs with the story, and afterwards as fast as real time.
"""

import os
import threading
from typing import Final

from cellwright.command.demo.run import Demo
from cellwright.command.demo.stage import Journey, Stage
from cellwright.command.signing import SoftwareAuthenticator
from cellwright.ledger import SimulatedClock
from cellwright.site.house import House

BENCHES: Final = 3
"""Lots that wait at a step for whoever sits at the screen."""
AHEAD: Final = "receive"
"""The last step done for them."""
PACE_S: Final = float(os.environ.get("CELLWRIGHT_PACE", "0.04"))
"""Seconds between two acts of the story."""


def tell(house: House, ending: threading.Event, patients: int) -> None:
    """Set the stage, tell the stories, set up the benches; stops between two acts when the server ends."""
    site = house.site
    assert isinstance(site.clock, SimulatedClock)
    device = SoftwareAuthenticator(site.desk.relying)
    demo = Demo(site, device, "serve")
    demo.setting.prepare(device)
    stage = Stage(site.desk, site.clock, device, lambda done, total: None)
    stage.run([paced(journey, ending, PACE_S) for journey in demo.journeys(patients)])
    if not ending.is_set():
        stage.run([paced(_bench(demo, 901 + n), ending, 0.0) for n in range(BENCHES)])


def paced(journey: Journey, ending: threading.Event, pause_s: float) -> Journey:
    """A journey that takes its time between acts, and ends with the server."""
    answer = None
    error: Exception | None = None
    while not (ending.wait(pause_s) if pause_s else ending.is_set()):
        try:
            act = journey.throw(error) if error is not None else journey.send(answer)
        except StopIteration:
            return
        error = None
        try:
            answer = yield act
        except Exception as refusal:  # noqa: BLE001 - handed on to the journey, which knows what it expects
            error = refusal


def _bench(demo: Demo, number: int) -> Journey:
    """A patient whose lot is received and waits for its next step."""
    way = demo.way(number, "CAR-T-19", "CN")
    yield from way.until_order()
    yield from way.patient.collected()
    yield from way.patient.received()
    yield from way.making.issued()
    yield from way.making.made(AHEAD)
