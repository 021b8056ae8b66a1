"""A patient's name, for a moment, to somebody whose work needs it; the record says so first (D6)."""

from django.http import HttpResponse
from django.views.decorators.http import require_POST

from cellwright.factory.order.pair import PairState
from cellwright.factory.order.reveal import Reveal
from cellwright.factory.order.state import OrderState
from cellwright.factory.order.subject import SubjectState
from cellwright.factory.rule import Refusal
from cellwright.language import N_, _
from cellwright.ledger.subject_keys import SubjectShredded, SubjectUnknown
from cellwright.site.access import NAMES, Asked, page
from cellwright.site.house import house
from cellwright.site.pages import render
from cellwright.site.reading import Read
from cellwright.site.refusals import missing, refused
from cellwright.site.view.signing import by

SHOWN_S = 20
"""How long the name stays on the screen."""
FIELDS = {"name": N_("Name"), "birth_date": N_("Birth date")}


@page(NAMES)
@require_POST
def reveal(request: Asked, order: str) -> HttpResponse:
    """Record who looks and what for, then show name and birth date of the recipient."""
    read = Read()
    state = read.load(OrderState, order)
    if not state.exists:
        return missing(request, order)
    subject = read.load(SubjectState, read.load(PairState, state.pair).recipient)
    command = Reveal(subject=subject.name, fields=tuple(FIELDS), purpose=request.POST.get("purpose", ""))
    try:
        house().desk.do(command, by(request))
    except Refusal as refusal:
        return refused(request, refusal)
    shown = []
    for field, what in FIELDS.items():
        if field in subject.personal:
            try:
                shown.append((_(what), house().site.keys.decrypt_field(_sealed(subject, field), field)))
            except (SubjectShredded, SubjectUnknown) as gone:
                shown.append((_(what), str(gone)))
    context = {"order": state, "coi": state.coi or "", "shown": shown, "seconds": SHOWN_S}
    return render(request, "revealed.jinja", context)


def _sealed(subject: SubjectState, field: str) -> dict[str, str]:
    """A sealed field as it is stored."""
    sealed = subject.personal[field]
    return {"enc": sealed.enc, "n": sealed.n, "c": sealed.c}
