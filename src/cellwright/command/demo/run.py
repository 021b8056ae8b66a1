"""The demonstration as a whole: a simulated site, every scene of the story, ordinary patients beside them, a report."""

from collections.abc import Callable, Generator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Final
from uuid import NAMESPACE_URL, UUID, uuid5

import cellwright.factory.register  # noqa: F401 - every fact is known
from cellwright.command import site as sites
from cellwright.command.demo import story
from cellwright.command.demo.course import Acts, Patient
from cellwright.command.demo.journey import Way
from cellwright.command.demo.published import PUBLISHED
from cellwright.command.demo.setting import Setting
from cellwright.command.demo.signers import Signers
from cellwright.command.demo.stage import Act, Journey, Stage, until
from cellwright.command.demo.stock import MARKET, PRODUCT, StockLot
from cellwright.command.desk import Outcome
from cellwright.command.signing import SoftwareAuthenticator
from cellwright.command.site import Settings, Site
from cellwright.command.witnessing import establish
from cellwright.ledger import SimulatedClock

START: Final = datetime(2026, 3, 2, tzinfo=UTC)
"""First moment of the simulated site."""
PATIENTS_A_DAY: Final = 8
"""Patients who come on one day, at one hour [assumption: one for each suite of the plant's file]."""
STORY_PATIENTS: Final = 24
"""Patients the story needs; fewer show its first scenes only."""
ORDINARY: Final = (("CAR-T-19", "CN"), ("ARI-0001", "EU"), ("HCAR19", "IN"), ("CD20-CAR", "EU"))
WEIGHTS_KG: Final = ("18", "25", "32", "41", "55", "63")
"""Body weights of the simulated patients."""


class Demo:
    """What a run leaves behind: the site, the patients in their order, the checks made."""

    def __init__(self, site: Site, signer: SoftwareAuthenticator, seed: str) -> None:
        self.site = site
        self.signer = signer
        self.seed = seed
        self.setting = Setting(site, signer)
        self.ways: list[Way] = []
        self.linked: list[Way] = []
        self._covered = 0
        self.stock: StockLot | None = None
        """The antibody's lot, in a demonstration that tells the whole story."""

    def way(self, number: int, product: str, market: str, *, weight_kg: str | None = None, **more: object) -> Way:
        random = Random(f"{self.seed}/{number}/weight")
        weight = weight_kg or WEIGHTS_KG[random.randrange(len(WEIGHTS_KG))]
        patient = Patient(self.site, number, self.seed, product, weight_kg=weight, market=market)
        return Way(patient, self.setting, **more)  # type: ignore[arg-type]

    def journeys(self, patients: int) -> list[Journey]:
        """One journey a patient, and one more for the second product of the linked pair."""
        recall = story.Recall(self.setting, alone=patients <= RECALLED)
        scenes = self._scenes(recall)
        journeys: list[Journey] = []
        for number in range(1, patients + 1):
            way, scene = scenes[number - 1] if number <= len(scenes) else self._ordinary(number)
            self.ways.append(way)
            journeys.append(self._from(number, scene(way)))
            if number == LINKED and patients >= LINKED:
                second = self.linked[0]
                journeys.append(self._from(number, self._pair.at19(second)))
        if patients >= STORY_PATIENTS:
            self.stock = StockLot(Patient(self.site, 0, self.seed, PRODUCT, weight_kg="0", market=MARKET), self.setting)
            journeys.append(self._from(1, self.stock.made()))
        return journeys

    def _ordinary(self, number: int) -> tuple[Way, story.Scene]:
        product, market = ORDINARY[Random(f"{self.seed}/{number}/product").randrange(len(ORDINARY))]
        return self.way(number, product, market), Way.ordinary

    def _scenes(self, recall: story.Recall) -> list[tuple[Way, story.Scene]]:
        """The story of 24 patients: six published lots, then one scene each."""
        way = self.way
        published: list[tuple[Way, story.Scene]] = [
            (way(n, lot.product, "EU" if lot.product == "ARI-0001" else "IN", published=lot), Way.ordinary)
            for n, lot in enumerate(PUBLISHED, 1)
        ]
        first = way(LINKED, "CAR-T-19", "CN", weight_kg="25")
        second = way(LINKED + LINKED_BY, "aT19", "CN", weight_kg="25")
        self._pair = story.Linked(first, second)
        self.linked.append(second)
        return [
            *published,
            (way(7, "CD20-CAR", "EU"), Way.ordinary),
            (way(8, "CD20-CAR", "EU"), story.late_positive_before),
            (way(9, "CD20-CAR", "EU"), story.late_positive_after),
            (first, self._pair.car_t_19),
            (way(11, "aT19", "CN", weight_kg="32"), story.prior_attested),
            (way(12, "EAL", "CN", weight_kg="63"), story.twenty_doses),
            (way(13, "CAR-T-19", "CN"), story.two_days),
            (way(14, "CAR-T-19", "CN"), story.donor_cells),
            (way(15, "CAR-T-19", "CN", weight_kg="12"), story.endotoxin_per_kg),
            (way(16, "CAR-T-19", "CN", weight_kg="12"), story.endotoxin_censored),
            (way(17, "CAR-T-19", "CN"), story.growth_failed),
            (way(18, "ARI-0001", "EU"), story.exceptional),
            (way(19, "ARI-0001", "EU"), story.exceptional_refused),
            (way(20, "CAR-T-19", "CN"), recall.delivered),
            (way(21, "CAR-T-19", "CN"), recall.kept),
            (way(22, "CAR-T-19", "CN"), story.downtime),
            (way(23, "CAR-T-19", "CN"), story.locked_out),
            (way(24, "CAR-T-19", "CN"), story.not_given("death")),
        ]

    def _from(self, number: int, acts: Acts) -> Journey:
        """A journey that begins when the patient comes."""

        def begins() -> Generator[Act | until, Outcome | None, None]:
            yield until(START + timedelta(days=(number - 1) // PATIENTS_A_DAY, hours=1))
            yield from acts

        return begins()

    def run(self, patients: int, progress: Callable[[int, int], None]) -> None:
        """Prepare the site and let all journeys run to their ends."""
        self.setting.prepare(self.signer)
        signers = Signers(self.site, self.signer)
        signers.enrol_office()
        journeys: Sequence[Journey] = self.journeys(patients)
        assert isinstance(self.site.clock, SimulatedClock)
        self.site.publish()
        Stage(self.site.desk, self.site.clock, signers, progress, self._publish_when_grown).run(journeys)
        self.site.publish()

    def _publish_when_grown(self) -> None:
        """A checkpoint on the way, so that a run cut off half-way leaves a record that others can hold it to."""
        size = self.site.ledger.head().size
        if size - self._covered >= BETWEEN_CHECKPOINTS:
            self._covered = size
            self.site.publish()


BETWEEN_CHECKPOINTS: Final = 500
"""Events between two checkpoints at least; they are published at the end of a simulated day."""
WITNESS: Final = "witness"
"""Folder of the simulated witness, in the site's."""
RECALLED: Final = 20
"""Number of the patient whose lot is recalled; the next one's, of the same vector lot, has not left the plant."""
LINKED: Final = 10
"""Number of the patient with two linked products."""
LINKED_BY: Final = 1000
"""The second of them is drawn under a number so much greater; it is no further patient."""


def seeded_ids(seed: str) -> Callable[[], UUID]:
    """UUIDv5 from the seed and a count, so that the same seed gives the same ids (E14)."""
    count = 0

    def new_id() -> UUID:
        nonlocal count
        count += 1
        return uuid5(NAMESPACE_URL, f"cellwright-demo/{seed}/{count}")

    return new_id


def seeded_nonces(seed: str) -> Callable[[], str]:
    """Nonces from the seed and a count; good on a simulated site only."""
    new_id = seeded_ids(f"{seed}/nonce")
    return lambda: new_id().hex


def simulated_witness(site: sites.Site) -> None:
    """A second party beside a simulated site that cosigns its checkpoints, as simulated as everything in it."""
    keys = establish(site.folder / WITNESS, "witness.example/simulated", site.publisher.chain)
    site.name_witness(f"{WITNESS} {keys}")


def open_demo(folder: Path, seed: str = "1") -> Demo:
    """A new simulated site for a demonstration. Raises Refusal `folder-not-empty`."""
    settings = Settings(
        name="e-town-demo",
        title_en="E-Town demonstration site (simulated)",
        title_zh="亦庄演示站点（模拟）",
        simulated=True,
    )
    site = sites.create(folder, settings, start=START, new_id=seeded_ids(seed), new_nonce=seeded_nonces(seed))
    simulated_witness(site)
    return Demo(site, SoftwareAuthenticator(site.desk.relying), seed)
