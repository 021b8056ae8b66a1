"""The loggers of a shipment read and judged; an excursion or a gap blocks use until it is assessed (R118)."""

from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal, InvalidOperation

import msgspec

from cellwright.factory.order.fact import shipping
from cellwright.factory.order.figure import moment, spelled
from cellwright.factory.order.shipment import ShipmentState, known
from cellwright.factory.order.temperature import Period, Run, Sample, excursions
from cellwright.factory.people import stamp
from cellwright.factory.record import Immutable
from cellwright.factory.rule import By, Command, Decision, Need, Refusal, World, command
from cellwright.factory.stored_file import FileHash

MAX_SAMPLES = 200_000
"""Samples of one shipment; a month at one sample in fifteen seconds."""
MAX_INTERVAL = timedelta(hours=1)


class LoggerReading(Immutable):
    """One sample as the logger's file has it."""

    at: str
    celsius: str | None
    good: bool = True


class LoggerData(Immutable):
    """A logger's file: which logger, its hash, and what the reader found in it."""

    logger: str
    sha256: FileHash
    samples: tuple[LoggerReading, ...]


@command("shipment.read_loggers", "warehouse", "cell_laboratory", "quality_assurance")
class ReadLoggers(Command):
    """Judge the loggers' files from the start of the logger to receipt. What is not known is never in range (R056)."""

    shipment: str
    loggers: tuple[LoggerData, ...]
    interval_s: int

    def decide(self, world: World, by: By) -> Decision:
        state = known(world, self.shipment)
        self._check(state)
        assert state.received_at is not None, "checked above"
        samples = [_sample(one.logger, reading) for one in self.loggers for reading in one.samples]
        interval = timedelta(seconds=self.interval_s)
        tolerance = msgspec.convert(state.tolerance, timedelta)
        period = Period(moment("packed_at", state.packed_at), moment("received_at", state.received_at))
        inside = [s for s in samples if period.start <= s.at <= period.end]
        runs = [*excursions(inside, state.limits, interval, tolerance, period), *self._silent(state, period)]
        body = shipping.LoggersRead(
            files=tuple(_file(one) for one in self.loggers),
            interval=spelled(interval),
            findings=tuple(_finding(run) for run in runs),
            verdict="to_assess" if any(run.blocks for run in runs) else "in_limits",
            reader=by.person,
        )
        return Decision(facts=(state.fact(body),))

    def _check(self, state: ShipmentState) -> None:
        if state.received_at is None:
            raise Refusal(
                "not-received",
                "Shipment {shipment} has not arrived.",
                remedy="Receive it first.",
                rule="R118",
                shipment=self.shipment,
            )
        if state.temperature is not None:
            raise Refusal(
                "loggers-read",
                "The loggers of shipment {shipment} have been read: {verdict}.",
                remedy="They are not read again until they please; quality assurance assesses what was found.",
                rule="R118",
                shipment=self.shipment,
                verdict=state.temperature,
            )
        strangers = sorted({one.logger for one in self.loggers} - set(state.loggers))
        if strangers:
            raise Refusal(
                "another-logger",
                "Logger {logger} did not travel with shipment {shipment}.",
                remedy="Read the loggers that were packed: {packed}.",
                rule="R072",
                logger=", ".join(strangers),
                shipment=self.shipment,
                packed=", ".join(state.loggers),
            )
        if not timedelta() < timedelta(seconds=self.interval_s) <= MAX_INTERVAL:
            raise Refusal(
                "sampling-interval", "A sampling interval of {seconds} s is not possible.", rule="R044",
                seconds=self.interval_s,
            )  # fmt: skip
        if sum(len(one.samples) for one in self.loggers) > MAX_SAMPLES:
            raise Refusal("too-many-samples", "More than {most} samples.", rule="R044", most=MAX_SAMPLES)

    def _silent(self, state: ShipmentState, period: Period) -> Iterator[Run]:
        """A logger that travelled and whose file is not here, or is empty, is a gap from end to end."""
        heard = {one.logger for one in self.loggers if one.samples}
        for logger in sorted(set(state.loggers) - heard):
            yield Run("gap", period.start, period.end, None, logger)


def _sample(logger: str, reading: LoggerReading) -> Sample:
    return Sample(moment("at", reading.at), _celsius(reading.celsius), reading.good, logger)


def _celsius(text: str | None) -> Decimal | None:
    """The temperature, None for what is no number: an instrument may write anything, and it is then unknown."""
    if text is None:
        return None
    try:
        return Decimal(text)
    except InvalidOperation:
        return None


def _file(one: LoggerData) -> shipping.LoggerFile:
    times = sorted(reading.at for reading in one.samples)
    return shipping.LoggerFile(
        logger=one.logger,
        sha256=one.sha256,
        readings=len(one.samples),
        first=times[0] if times else "",
        last=times[-1] if times else "",
    )


def _finding(run: Run) -> shipping.Finding:
    return shipping.Finding(
        kind=run.kind,
        start=stamp(run.start),
        end=stamp(run.end),
        peak_c=None if run.peak_c is None else format(run.peak_c, "f"),
        logger=run.logger or None,
    )


@command("shipment.assess_temperature", "quality_assurance")
class AssessTemperature(Command):
    """Judge an excursion or a gap: what it means for the cells, and whether they may be used."""

    shipment: str
    usable: bool
    text: str

    def decide(self, world: World, by: By) -> Decision:
        state = known(world, self.shipment)
        if state.temperature is None or state.temperature == "in_limits":
            raise Refusal(
                "nothing-to-assess",
                "The temperature of shipment {shipment} is {verdict}.",
                remedy="Read the loggers first.",
                rule="R118",
                shipment=self.shipment,
                verdict=state.temperature or "not read",
            )
        body = shipping.TemperatureAssessed(usable=self.usable, text=self.text, assessor=by.person)
        sign = (Need(person=by.person, meaning="assessed", role="quality_assurance"),)
        return Decision(facts=(state.fact(body),), sign=sign)
