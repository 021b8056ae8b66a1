"""Every address of the site."""

from django.urls import path

from cellwright.site.refusals import missing, unreadable
from cellwright.site.view import (
    cases,
    entry,
    filling,
    finding,
    floor,
    keys,
    people,
    portfolio,
    proof,
    record,
    release,
    reveal,
    room,
    signing,
    step,
    story,
    trail,
)  # fmt: skip

urlpatterns = [
    path("", floor.floor, name="floor"),
    path("sign-in", entry.sign_in, name="sign-in"),
    path("sign-in/simulated", entry.sign_in_simulated, name="sign-in-simulated"),
    path("sign-out", entry.sign_out, name="sign-out"),
    path("language/<str:name>", entry.language, name="language"),
    path("patients/<str:coi>", story.by_coi, name="patient"),
    path("orders/<str:order>", story.story, name="story"),
    path("orders/<str:order>/reveal", reveal.reveal, name="reveal"),
    path("lots/<str:lot>", record.record, name="record"),
    path("lots/<str:lot>/step", step.step, name="step"),
    path("lots/<str:lot>/room", step.enter, name="step-room"),
    path("lots/<str:lot>/scan", step.scanned, name="step-scan"),
    path("lots/<str:lot>/reading", step.measured, name="step-reading"),
    path("lots/<str:lot>/reading/again", step.read_again, name="step-reading-again"),
    path("lots/<str:lot>/take-over", step.take_over, name="step-take-over"),
    path("lots/<str:lot>/complete", step.complete, name="step-complete"),
    path("lots/<str:lot>/fill", filling.fill, name="step-fill"),
    path("lots/<str:lot>/label/print", filling.print_label, name="label-print"),
    path("lots/<str:lot>/label/scan", filling.scan_label, name="label-scan"),
    path("lots/<str:lot>/label/detach", filling.detach, name="label-detach"),
    path("lots/<str:lot>/store", filling.store, name="step-store"),
    path("lots/<str:lot>/leave", filling.leave, name="step-leave"),
    path("lots/<str:lot>/close", filling.close, name="lot-close"),
    path("lots/<str:lot>/report", finding.report, name="finding-report"),
    path("lots/<str:lot>/findings/<str:name>", finding.judge, name="finding-judge"),
    path("lots/<str:lot>/release", release.release, name="release"),
    path("lots/<str:lot>/release/decide", release.decide, name="release-decide"),
    path("rooms/<str:room>", room.room, name="room"),
    path("rooms/<str:room>/clear", room.clear, name="room-clear"),
    path("rooms/<str:room>/clean", room.clean, name="room-clean"),
    path("cases/<str:case>", cases.case, name="case"),
    path("cases/<str:case>/set-aside", cases.set_aside, name="case-set-aside"),
    path("cases/<str:case>/in-doubt", cases.in_doubt, name="case-in-doubt"),
    path("cases/<str:case>/investigate", cases.investigate, name="case-investigate"),
    path("cases/<str:case>/close", cases.close, name="case-close"),
    path("sign/<str:token>", signing.sign, name="sign"),
    path("sign/<str:token>/<int:index>/simulated", signing.sign_simulated, name="sign-simulated"),
    path("sign/<str:token>/<int:index>/key", signing.sign_key, name="sign-key"),
    path("sign/<str:token>/<int:index>/password", signing.sign_password, name="sign-password"),
    path("sign/<str:token>/withdraw", signing.withdraw, name="sign-withdraw"),
    path("trail", trail.trail, name="trail"),
    path("trail/<int:position>", trail.event, name="event"),
    path("trail/export.<str:form>", trail.export, name="trail-export"),
    path("proof", proof.proof, name="proof"),
    path("proof/check", proof.check, name="proof-check"),
    path("people", people.people, name="people"),
    path("people/<str:person>", people.act, name="people-act"),
    path("portfolio", portfolio.portfolio, name="portfolio"),
    path("portfolio/pipeline", portfolio.pipeline, name="portfolio-pipeline"),
    path("portfolio/areas/<str:name>", portfolio.area, name="portfolio-area"),
    path("portfolio/companies/<str:name>", portfolio.company, name="portfolio-company"),
    path("portfolio/products/<str:name>", portfolio.product, name="portfolio-product"),
    path("portfolio/programmes/<str:name>", portfolio.programme, name="portfolio-programme"),
    path("keys", keys.keys, name="keys"),
    path("keys/offer", keys.offer, name="keys-offer"),
    path("simulated/time", step.let_pass, name="simulated-time"),
]


def handler400(request: object, exception: object) -> object:
    """A message that Django itself does not take in."""
    return unreadable(request)  # type: ignore[arg-type]


def handler404(request: object, exception: object) -> object:
    """Nothing under this address."""
    return missing(request)  # type: ignore[arg-type]
