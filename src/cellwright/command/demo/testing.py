"""Testing a lot as its specification says: samples taken over, files written by simulated instruments, values read back.

A value reaches a result only through a file and its parser, or as an attested report of a contract laboratory. What a
lot's cells are like stands in `values`: published figures, or what the story needs; the rest passes.
"""

import hashlib
from collections.abc import Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Final

from cellwright.command.demo import bench
from cellwright.command.demo.bench import Reading
from cellwright.command.demo.course import Acts, Patient, agreed, scan
from cellwright.command.demo.setting import CONTRACT_LABORATORY
from cellwright.factory.lot.state import LotState
from cellwright.factory.people import stamp
from cellwright.factory.plant.plant import Plant
from cellwright.factory.quality.culture import ReadCulture, StartCulture
from cellwright.factory.quality.fact import Control, Derivation, RawFile
from cellwright.factory.quality.file import QualityState
from cellwright.factory.quality.result import AttestResult, RecordResult, VerifyResults
from cellwright.factory.quality.sample import ReceiveSample
from cellwright.factory.quality.specification import Acceptance, Criterion, Specification
from cellwright.factory.quality.specifying import AssignSpecification
from cellwright.factory.record import plain

ANALYSTS: Final = ("QC-1", "QC-2", "QC-3", "QC-4")
FLOW: Final = "flow_cytometry"
COUNTER: Final = "cell_count"
CULTURE: Final = "automated_culture"
ATTESTED: Final = "visual_inspection"
POPULATIONS: Final[dict[str, str]] = {
    "cd3_positive": "cd3_positive", "car_positive": "car_positive", "car_positive_day5": "car_positive",
    "cd19_transgene_positive": "car_positive", "cd8_positive": "cd8_positive", "residual_b_cells": "residual_b_cells",
    "residual_cd19": "residual_b_cells",
}  # fmt: skip
"""Test code -> gate of the flow template."""
WORDS: Final = {
    "negative": ("negative", "positive"), "absent": ("absent", "present"), "positive": ("negative", "positive"),
}  # fmt: skip
"""Word asked for -> the words for no signal and for a signal."""
INSTRUMENTS: Final = {
    FLOW: "flow_cytometer", COUNTER: "cell_counter", CULTURE: "culture_system", "pcr_copy_number": "dpcr_reader",
    "mycoplasma_pcr": "qpcr_cycler", "rcl_pcr": "qpcr_cycler", "virus_pcr": "qpcr_cycler", "transgene_pcr": "qpcr_cycler",
}  # fmt: skip
"""Method -> equipment class; anything else is read on a plate reader."""
NEGATIVE_TO_DATE_DAYS: Final = 14


class Testing:
    """The quality control of one lot."""

    def __init__(self, patient: Patient, plant: Plant, values: Mapping[str, str]) -> None:
        self.patient = patient
        self.plant = plant
        self.values = dict(values)
        self.desk = patient.site.desk
        self.analyst, self.second = patient.two(ANALYSTS)
        self.files: dict[tuple[str, str], tuple[bytes, str, datetime]] = {}
        self.runs: dict[tuple[str, str], tuple[bench.FlowRun, str]] = {}
        self.cultures: dict[str, tuple[str, str, datetime]] = {}
        """Test -> culture, sample, and when it was loaded."""

    @property
    def lot(self) -> LotState:
        return self.desk.state(LotState, self.patient.lot, fresh=False)

    @property
    def quality(self) -> QualityState:
        return self.desk.state(QualityState, self.patient.lot, fresh=False)

    def specification(self) -> Specification:
        assigned = self.quality.specification
        assert assigned is not None
        return self.desk.definition(Specification, assigned.specification, assigned.version)

    # --- the whole way

    def tested(self, without: frozenset[str] = frozenset()) -> Acts:
        """Everything the specification asks for, except what is left out; cultures are started and read when over."""
        yield from self.begun()
        yield from self.measured(without)
        yield from self.verified()
        yield from self.cultured(without)

    def begun(self) -> Acts:
        """The specification of the destination market is assigned; samples change hands before two people."""
        yield from self.patient.do(AssignSpecification(lot=self.patient.lot), "QA-3")
        yield from self.taken_over_all()

    def taken_over_all(self) -> Acts:
        """Every sample of the lot comes to the laboratory."""
        for name in self.lot.samples:
            yield from self.taken_over(name)

    def taken_over(self, sample: str) -> Acts:
        yield from self.patient.do(self.receiving(sample, sample), self.analyst)

    def receiving(self, sample: str, scanned: str) -> ReceiveSample:
        """One sample from operator to analyst; `scanned` is what the analyst's scanner really reads."""
        return ReceiveSample(
            lot=self.patient.lot, sample=sample, scan=scan(scanned),
            handed_over_by=next(iter(sorted(self.lot.participants))), handed_over_role="operator", condition="intact",
            temperature_c="4.2",
        )  # fmt: skip

    def measured(self, without: frozenset[str] = frozenset()) -> Acts:
        for code, acceptance, criterion in self.asked():
            if code in without:
                continue
            if criterion.method == CULTURE:
                yield from self.started(code, criterion)
            else:
                yield from self.result(code, acceptance, criterion)

    def asked(self) -> list[tuple[str, Acceptance, Criterion]]:
        """Each code under which a result is recorded, with what is asked of it."""
        found: dict[str, tuple[str, Acceptance, Criterion]] = {}
        for criterion in self.specification().tests:
            if criterion.any_of:
                for alternative in criterion.any_of:
                    found[alternative.code] = (alternative.code, alternative, criterion)
            elif criterion.calculation is None:
                found[criterion.code] = (criterion.code, criterion, criterion)
        return list(found.values())

    # --- one result

    def sample_for(self, criterion: Criterion, code: str) -> str:
        """The sample drawn for this test."""
        samples = self.lot.samples.values()
        for one in samples:
            if code in one.tests or criterion.code in one.tests:
                return one.sample
        of_kind = [s.sample for s in samples if not criterion.sample_kind or s.kind == criterion.sample_kind]
        return of_kind[-1]

    def result(self, code: str, acceptance: Acceptance, criterion: Criterion, **more: Any) -> Acts:
        """One value, from its file or its report, recorded."""
        sample = self.sample_for(criterion, code)
        if criterion.method == ATTESTED:
            return (yield from self.attested(code, acceptance, criterion, sample))
        record = self.recorded(code, acceptance, criterion, sample, **more)
        return (yield from self.patient.do(record, self.analyst))

    def recorded(
        self, code: str, acceptance: Acceptance, criterion: Criterion, sample: str, **more: Any
    ) -> RecordResult:
        """The command for a value read back from the instrument's file."""
        reading, file = self.read(code, acceptance, criterion, sample)
        usual: dict[str, Any] = {
            "lot": self.patient.lot, "test": code, "value": reading.value, "unit": acceptance.unit, "sample": sample,
            "acquired_at": file.acquired_at, "file": file, "derivation": reading.derivation,
            "method": criterion.method or f"simulated {code}", "method_version": criterion.method_version or "1",
            "assay_version": "1", "instrument": self.instrument(criterion.method),
            "controls": tuple(
                reading.controls.get(name) or Control(name=name, passed=True) for name in self.controls(acceptance, criterion)
            ),
            "readings": reading.behind, "flaw": reading.flaw,
        }  # fmt: skip
        return RecordResult(**{**usual, **more})

    def recording(self, code: str, *, file_sample: str) -> RecordResult:
        """The same for a test whose file names another sample inside."""
        _, acceptance, criterion = next(asked for asked in self.asked() if asked[0] == code)
        right = self.recorded(code, acceptance, criterion, self.sample_for(criterion, code))
        inside = RawFile(
            sha256=right.file.sha256, name=right.file.name, sample=file_sample, acquired_at=right.file.acquired_at
        )
        return RecordResult(**{**plain(right), "file": inside})

    @staticmethod
    def controls(acceptance: Acceptance, criterion: Criterion) -> tuple[str, ...]:
        return tuple(dict.fromkeys((*criterion.controls, *getattr(acceptance, "controls", ()))))

    def read(self, code: str, acceptance: Acceptance, criterion: Criterion, sample: str) -> tuple[Reading, RawFile]:
        """Write the instrument's file and read the value back from it."""
        value = self.values.get(code) or self.usual(acceptance)
        if criterion.method == FLOW:
            run, name = self.flow_of(sample, code, value)
            data, reading = run.data, bench.flow(run, POPULATIONS[code])
            named, at = bench.stated(data)
            assert named == sample
            reading = self.with_evidence(
                reading, {"record": reading.record, "fmo:CAR": run.fmo, "unstained": run.unstained}
            )
        elif criterion.method == COUNTER:
            data, name, at = self.count_of(sample)
            reading = bench.counted(data, code)
        else:
            at, name = self.patient.now, f"{code}-{sample}.csv"
            plate = self.desk.issuing.next("plate", at)
            instrument = self.instrument(criterion.method)
            data = bench.plate_file(plate, sample, at, code, value, acceptance.unit, instrument, self.analyst)
            reading = bench.plated(data, WORDS.get(acceptance.limit))
        stored = self.patient.site.files.put(data, self.patient.donor or None)
        return reading, RawFile(sha256=stored.sha256, name=name, sample=sample, acquired_at=stamp(at))

    def with_evidence(self, reading: Reading, evidence: Mapping[str, bytes]) -> Reading:
        """The reading, with where the files that stand behind it lie in the store beside the raw file.

        Their own hashes are in the derivation already; a file about a person is stored encrypted, under another address.
        """
        places = {
            f"{name} file": self.patient.site.files.put(data, self.patient.donor or None).sha256
            for name, data in evidence.items()
        }
        known = reading.derivation
        derivation = Derivation(
            parser=known.parser, parser_version=known.parser_version, parameters={**known.parameters, **places}
        )
        return reading._replace(derivation=derivation)

    def flow_of(self, sample: str, code: str, value: str) -> tuple[bench.FlowRun, str]:
        """One run of the cytometer for each sample: 20,000 simulated events with the figures asked for, and controls."""
        percent = {
            gate: Decimal(self.values[test])
            for test, gate in POPULATIONS.items()
            if test in self.values and gate in bench.PARENTS
        }
        percent.setdefault("cd3_positive", Decimal(98))
        percent.setdefault("car_positive", Decimal(40))
        percent.setdefault("cd8_positive", Decimal(60))
        if code in self.values and POPULATIONS[code] in bench.PARENTS:
            percent[POPULATIONS[code]] = Decimal(value)
        key = (sample, str(sorted(percent.items())))
        if key not in self.runs:
            at, instrument = self.patient.now.replace(microsecond=0), self.instrument(FLOW)
            seed = int.from_bytes(hashlib.sha256("".join(key).encode()).digest()[:8], "big")
            check = self.patient.paper(f"instrument check {instrument} {at.date()}", passed=True)
            run = bench.flow_run(sample, at, seed, percent, instrument, check)
            self.runs[key] = (run, f"{sample}-{len(self.runs) + 1}.fcs")
        return self.runs[key]

    def count_of(self, sample: str) -> tuple[bytes, str, datetime]:
        key = (sample, "count")
        if key not in self.files:
            at = self.patient.now
            viability = Decimal(self.values.get("viability", "94"))
            per_ml = Decimal(self.values.get("viable_cells_per_ml", "10000000")) / 1_000_000
            self.files[key] = (
                bench.counter_file(sample, at, viability, per_ml, self.analyst),
                f"{sample}-count.csv",
                at,
            )
        return self.files[key]

    @staticmethod
    def usual(acceptance: Acceptance) -> str:
        """A value well inside what is asked for."""
        limit = acceptance.limit
        match acceptance.operator:
            case "==":
                return limit
            case ">=" | ">":
                doubled = Decimal(limit) * 2
                bounded = acceptance.unit == "%" and doubled > 100
                return format((Decimal(limit) + 100) / 2 if bounded else doubled, "f")
            case "<=" | "<":
                return format(Decimal(limit) / 4, "f")
            case "between":
                assert acceptance.low is not None and acceptance.high is not None
                return format((acceptance.low + acceptance.high) / 2, "f")
            case _:
                return "50"

    def instrument(self, method: str) -> str:
        wanted = INSTRUMENTS.get(method, "plate_reader")
        pieces = [e.id for e in self.plant.equipment if e.equipment_class == wanted]
        return pieces[self.patient.number % len(pieces)]

    def attested(self, code: str, acceptance: Acceptance, criterion: Criterion, sample: str) -> Acts:
        """From a report of the contract laboratory, transcribed; verified by somebody else later (D11)."""
        value = self.values.get(code) or self.usual(acceptance)
        attest = AttestResult(
            lot=self.patient.lot, test=code, value=value, unit=acceptance.unit, sample=sample,
            document_sha256=self.patient.paper(f"report {code}", value=value), document=f"Simulated report {code}",
            laboratory=CONTRACT_LABORATORY, method=criterion.method or f"simulated {code}",
            method_version=criterion.method_version or "1", assay_version="1", instrument="visual",
            acquired_at=stamp(self.patient.now), analyst=self.analyst,
            controls=tuple(Control(name=name, passed=True) for name in criterion.controls),
        )  # fmt: skip
        return (yield from self.patient.do(attest, self.analyst))

    def verified(self) -> Acts:
        """A second analyst verifies everything that waits for it."""
        waiting = tuple(name for name, result in self.quality.results.items() if result.status == "recorded")
        if waiting:
            verify = VerifyResults(lot=self.patient.lot, results=waiting, role="analyst")
            yield from self.patient.do(verify, self.second)

    # --- cultures

    def started(self, code: str, criterion: Criterion) -> Acts:
        sample = self.sample_for(criterion, code)
        start = StartCulture(
            lot=self.patient.lot, test=code, sample=sample, incubation=f"P{NEGATIVE_TO_DATE_DAYS}D",
            method=criterion.method or f"simulated {code}", method_version=criterion.method_version or "1",
            assay_version="1", instrument=self.instrument(CULTURE),
        )  # fmt: skip
        yield from self.patient.do(start, self.analyst)
        self.cultures[code] = (next(reversed(self.quality.cultures)), sample, self.patient.now)

    def cultured(self, without: frozenset[str] = frozenset()) -> Acts:
        """Wait until the cultures' time is over, read them, verify."""
        for code in self.cultures:
            if code not in without:
                yield from self.until_day(code, NEGATIVE_TO_DATE_DAYS)
                yield from self.culture_read(code, grown=self.values.get(code) in ("positive", "growth"))
        yield from self.verified()

    def until_day(self, code: str, day: int) -> Acts:
        """The hour at which the day's cultures are read, a full day after so many days."""
        yield from self.patient.at(agreed(self.cultures[code][2], timedelta(days=day, hours=1)))

    def culture_read(self, code: str, *, grown: bool = False) -> Acts:
        culture, sample, loaded = self.cultures[code]
        now = self.patient.now
        final = now - loaded >= timedelta(days=NEGATIVE_TO_DATE_DAYS)
        data = bench.culture_file(f"BT-{culture[-8:]}", sample, loaded, now, grown, final)
        reading = bench.cultured(data)
        stored = self.patient.site.files.put(data, self.patient.donor or None)
        file = RawFile(sha256=stored.sha256, name=f"{culture}.csv", sample=sample, acquired_at=stamp(now))
        read = ReadCulture(
            lot=self.patient.lot, culture=culture, growth=grown, file=file, derivation=reading.derivation
        )
        return (yield from self.patient.do(read, self.analyst))
