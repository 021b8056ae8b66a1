"""Cultures for sterility and mycoplasma: negative to date, final, or positive, which nobody waits for (R107, R108)."""

from datetime import timedelta

from cellwright.factory.lot.access import known
from cellwright.factory.lot.quantity import moment
from cellwright.factory.lot.state import LotState
from cellwright.factory.notation import duration
from cellwright.factory.people import stamp
from cellwright.factory.quality import file as quality_file
from cellwright.factory.quality.consequence import of_results
from cellwright.factory.quality.fact import (
    CultureAbandoned,
    CultureRead,
    CultureStarted,
    Derivation,
    RawFile,
    ResultRecomputed,
)
from cellwright.factory.quality.file import QualityState, load
from cellwright.factory.quality.part import Culture
from cellwright.factory.quality.raw_file import disagreement
from cellwright.factory.quality.result import number
from cellwright.factory.quality.sample import received
from cellwright.factory.rule import By, Command, Decision, Need, Refusal, World, command

LONGEST = timedelta(days=60)
"""No culture of the trade runs longer (mycoplasma by culture: 28 days)."""


@command("quality.start_culture", "analyst")
class StartCulture(Command):
    """Inoculate a sample and let it incubate for at least `incubation` (ISO 8601 duration)."""

    lot: str
    test: str
    sample: str
    incubation: str
    method: str
    method_version: str
    assay_version: str
    instrument: str

    def decide(self, world: World, by: By) -> Decision:
        lot, quality = known(world, self.lot), load(world, self.lot)
        received(quality, self.sample)
        body = CultureStarted(
            lot=self.lot,
            coi=lot.coi,
            stock=lot.stock,
            culture=f"{self.lot}-C{len(quality.cultures) + 1:02d}",
            test=self.test,
            sample=self.sample,
            ends_at=stamp(world.now + self._incubation()),
            method=self.method,
            method_version=self.method_version,
            assay_version=self.assay_version,
            instrument=self.instrument,
            analyst=by.person,
        )
        return Decision(facts=(quality.fact(body),))

    def _incubation(self) -> timedelta:
        try:
            found = duration(self.incubation)
        except (ValueError, OverflowError):
            found = timedelta(0)
        if not timedelta(0) < found <= LONGEST:
            raise Refusal(
                "incubation-not-plausible",
                "{incubation} is no plausible time of incubation.",
                remedy="Write an ISO 8601 duration, for example P14D.",
                rule="R044",
                incubation=self.incubation,
            )
        return found


@command("quality.read_culture", "analyst")
class ReadCulture(Command):
    """Read a culture. Growth is a result at once; no growth is negative to date until the time of incubation is over."""

    lot: str
    culture: str
    growth: bool
    file: RawFile
    derivation: Derivation

    def decide(self, world: World, by: By) -> Decision:
        lot, quality = known(world, self.lot), load(world, self.lot)
        culture = _running(quality, self.culture)
        stop = disagreement(world, by, lot, culture.sample, self.file)
        if stop is not None:
            return stop
        final = not self.growth and world.now >= moment(culture.ends_at)
        ended = self.growth or final
        read = CultureRead(
            lot=self.lot,
            culture=self.culture,
            growth=self.growth,
            final=final,
            analyst=by.person,
            evidence_sha256=self.file.sha256,
            result=number(quality) if ended else None,
        )
        if not ended:
            return Decision(facts=(quality.fact(read),))
        body = self._result(lot, quality, culture, by)
        new = quality_file.recomputed(body, "")
        return Decision(facts=(quality.fact(body), quality.fact(read), *of_results(world, lot, quality, (new,))))

    def _result(self, lot: LotState, quality: QualityState, culture: Culture, by: By) -> ResultRecomputed:
        held = quality.samples[culture.sample]
        return ResultRecomputed(
            lot=self.lot,
            coi=lot.coi,
            stock=lot.stock,
            result=number(quality),
            test=culture.test,
            value="positive" if self.growth else "negative",
            unit="",
            sample=culture.sample,
            sample_kind=held.kind,
            sampling_point=held.point,
            wells=(),
            file=self.file,
            derivation=self.derivation,
            method=culture.method,
            method_version=culture.method_version,
            assay_version=culture.assay_version,
            instrument=culture.instrument,
            analyst=by.person,
            controls=(),
            readings=(),
        )


@command("quality.abandon_culture", "quality_assurance")
class AbandonCulture(Command):
    """Give up a culture that cannot be read to its end; quality assurance signs why, and the test is still owed."""

    lot: str
    culture: str
    cause: str

    def decide(self, world: World, by: By) -> Decision:
        known(world, self.lot)
        quality = load(world, self.lot)
        culture = _running(quality, self.culture)
        if not self.cause.strip():
            raise Refusal("reason-missing", "A culture is given up only with its reason.", remedy="State the cause.",
                          rule="R004")  # fmt: skip
        body = CultureAbandoned(lot=self.lot, culture=culture.id, cause=self.cause, abandoned_by=by.person)
        need = Need(person=by.person, meaning="assessed", role="quality_assurance")
        return Decision(facts=(quality.fact(body, reason=self.cause),), sign=(need,))


def _running(quality: QualityState, name: str) -> Culture:
    culture = quality.cultures.get(name)
    if culture is None or not culture.running:
        raise Refusal(
            "culture-not-running",
            "{culture} is no running culture of lot {lot}.",
            rule="R107",
            culture=name,
            lot=quality.lot,
        )
    return culture
