"""Nonconformances: recorded from the step where they are seen, assessed and closed by quality assurance (D7, R051)."""

from typing import Any, Final

from django.http import HttpResponse
from django.views.decorators.http import require_POST

from cellwright.factory.lot.nonconformance import AssessNonconformance, CloseNonconformance, RecordNonconformance
from cellwright.site.access import Asked, page
from cellwright.site.refusals import missing
from cellwright.site.view.signing import give

RECORDING: Final = frozenset({"operator", "warehouse", "analyst", "quality_assurance", "process_engineer"})
QUALITY: Final = frozenset({"quality_assurance"})
OBSERVED: Final = "observed"
"""Code of what a person saw, beside the codes of the rules."""


def _back(request: Asked, lot: str) -> str:
    return f"/lots/{lot}/step" if request.POST.get("step") else f"/lots/{lot}#findings"


@page(RECORDING)
@require_POST
def report(request: Asked, lot: str) -> HttpResponse:
    """What was not as it should be; making and release wait for its assessment."""
    severity: Any = request.POST.get("severity", "major")
    command = RecordNonconformance(
        lot=lot, code=OBSERVED, text=request.POST.get("text", "").strip(), step=request.POST.get("step") or None,
        severity=severity if severity in ("minor", "major", "critical") else "major",
    )  # fmt: skip
    return give(request, command, _back(request, lot))


@page(QUALITY)
@require_POST
def judge(request: Asked, lot: str, name: str) -> HttpResponse:
    """Assess a nonconformance, or close an assessed one with its conclusion; both are signed."""
    text, act = request.POST.get("text", "").strip(), request.POST.get("act", "")
    severity: Any = request.POST.get("severity", "major")
    if act == "close":
        return give(
            request, CloseNonconformance(lot=lot, nonconformance=name, conclusion=text), f"/lots/{lot}#findings"
        )
    if act != "assess" or severity not in ("minor", "major", "critical"):
        return missing(request, name)
    command = AssessNonconformance(
        lot=lot, nonconformance=name, severity=severity, text=text, proceeds=request.POST.get("proceeds") == "yes"
    )
    return give(request, command, f"/lots/{lot}#findings")
