"""Verbs around a release for tests: the reviews, the assessment of custody, the documents of the exceptional path."""

from typing import Any

from cellwright.factory.release.assessment import Assessment, assess
from cellwright.factory.release.decide import Release
from cellwright.factory.release.exceptional import RecordExceptionalItem, SupplyExceptionally
from cellwright.factory.release.fact import Item, Law
from cellwright.factory.release.finding import EU_ITEMS
from cellwright.factory.release.review import AssessCustody, InformPhysician, ReviewAuditTrail, ReviewRecord
from tests.factory.quality.setting import Laboratory

DOCUMENT = "e" * 64
EU: tuple[Item, ...] = (*EU_ITEMS, "authorisation_holder_notified")


class Office(Laboratory):
    """A laboratory with a quality unit."""

    def reviewed(self, lot: str) -> None:
        """Custody assessed, then record and audit trail reviewed."""
        self.do(AssessCustody(lot=lot, custody="intact", temperature="in_limits", basis="SH-1, SH-2, LN2-1"), "QA-2")
        self.review(lot)

    def review(self, lot: str) -> None:
        self.do(ReviewRecord(lot=lot), "QA-2")
        self.do(ReviewAuditTrail(lot=lot), "QA-2")

    def ready(self, n: int = 1, without: tuple[str, ...] = (), weight: str = "25", market: str = "EU",
              **changed: tuple[str, str]) -> str:  # fmt: skip
        """A lot that is tested and reviewed."""
        lot = self.patient(n, weight=weight, market=market)
        self.tested(lot, without, **changed)
        self.reviewed(lot)
        return lot

    def released(self, n: int = 1) -> str:
        lot = self.ready(n)
        self.do(Release(lot=lot), "AP-1")
        return lot

    def inform(self, lot: str) -> None:
        self.do(
            InformPhysician(lot=lot, physician="Dr. X", acknowledged_at="2026-03-02T09:00:00.000000Z",
                            document_sha256=DOCUMENT),
            "QA-1",
        )  # fmt: skip

    def item(self, lot: str, item: Any, law: Law = "eu", by: str = "QA-1") -> None:
        self.do(RecordExceptionalItem(lot=lot, law=law, item=item, reference="letter 12", document_sha256=DOCUMENT), by)

    def supply(self, lot: str, by: str = "AP-1") -> None:
        self.do(SupplyExceptionally(lot=lot), by)

    def assess(self, lot: str) -> Assessment:
        return assess(self, lot)

    def missing(self, lot: str, outcome: Any = "released") -> set[str]:
        return {finding.short for finding in self.assess(lot).missing(outcome)}
