"""Records written for others. Whatever a form cannot express is named, not dropped in silence."""

import json

from cellwright.connect.register.fhir import NoForm, bundle
from cellwright.connect.register.usdm_write import study_definition
from cellwright.factory.portfolio.statement import RegisterRecord
from cellwright.language import _

__all__ = ["NoForm", "exported"]


def exported(record: RegisterRecord, form: str) -> tuple[str, tuple[str, ...]]:
    """A record as JSON in a form, and the names of what the form does not express.

    Raises:
        NoForm: the form is not known, or the package that checks it is not installed.
    """
    if form == "fhir":
        tree, lost = bundle(record)
    elif form == "usdm":
        tree, lost = study_definition(record)
    else:
        raise NoForm(_("{form} is not a form to write: fhir or usdm.").format(form=form))
    return json.dumps(tree, ensure_ascii=False, indent=2), lost
