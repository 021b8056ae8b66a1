"""Sentences for the words that judgements carry: verdicts, and why something is not a pass."""

from typing import Final

from cellwright.language import N_

VERDICTS: Final[dict[str, str]] = {
    "pass": N_("complies"),
    "fail": N_("out of specification"),
    "not_shown_to_comply": N_("not shown to comply"),
    "pending": N_("awaited"),
    "not_evaluable": N_("not evaluable"),
    "unknown": N_("unknown"),
}

REASONS: Final[dict[str, str]] = {
    "out-of-specification": N_("The value lies outside its limit."),
    "sensitivity-insufficient": N_("The measurement was not sensitive enough; it is repeated at a suitable dilution."),
    "value-not-understood": N_("The value is neither a number nor a word that answers the question."),
    "value-negative": N_("A negative value proves nothing."),
    "unit-differs": N_("The result is in another unit than the limit."),
    "no-result": N_("There is no result yet."),
    "not-verified": N_("No second person has verified the result yet."),
    "culture-running": N_("The culture has not been read yet."),
    "negative-to-date": N_("No growth so far; the final reading is awaited."),
    "control-missing": N_("A control that belongs to the result is missing."),
    "control-failed": N_("A control that belongs to the result did not pass."),
    "method-differs": N_("It was measured by another method than the specification names."),
    "method-version-not-approved": N_("It was measured by a version of the method that is not approved."),
    "sample-kind-differs": N_("It was measured on another kind of sample."),
    "sampling-point-differs": N_("The sample was drawn at another step."),
    "samples-differ": N_("The two values do not come from the same sample point."),
    "percent-above-100": N_("A fraction cannot exceed 100 %."),
    "not-computable": N_("The value cannot be computed from these results."),
    "bags-not-filled": N_("No bag of this dose is filled."),
    "weight-unknown": N_("The recipient's weight is not known."),
    "weight-not-dated": N_("The recipient's weight has no valid date."),
    "weight-too-old": N_("The recipient's weight is older than the specification allows."),
    "events-too-few": N_("Too few events were acquired."),
    "below-limit-of-quantification": N_("The signal is below the limit of quantification."),
    "replicates-disagree": N_("The replicates disagree."),
    "acquisition-incomplete": N_("The acquisition is not complete."),
    "raw-file-missing": N_("It was not read from the raw events; a printout does not replace them."),
    "standard-curve-invalid": N_("The standard curve is not valid."),
    "instrument-not-fit": N_("The instrument was not qualified, calibrated and clean."),
    "laboratory-not-qualified": N_("The laboratory is not qualified for this test."),
    "not-parallel": N_("Sample and reference are not parallel."),
}
"""The stable word of a judgement or of a result's flaw to its sentence."""
