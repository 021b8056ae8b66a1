"""Labels: what each kind must say, the legends, the drawing, and the comparison of the print with the intention."""

from cellwright.identifier.label.content import LabelContent, NamedPatient
from cellwright.identifier.label.drawing import PrintedLabel, draw, print_label, render_png
from cellwright.identifier.label.legend import (
    Bilingual,
    DonorStatus,
    Legend,
    PrintedLegend,
    Recipient,
    required_legends,
)
from cellwright.identifier.label.sheet import sheet
from cellwright.identifier.label.template import (
    Field,
    LabelKind,
    LabelTemplate,
    SymbolRole,
    TemplateRegister,
    first_register,
)
from cellwright.identifier.label.verification import (
    Reprint,
    Verified,
    refuse_superseded,
    reprint,
    verify_printed,
)

__all__ = [
    "Bilingual",
    "DonorStatus",
    "Field",
    "LabelContent",
    "LabelKind",
    "LabelTemplate",
    "Legend",
    "NamedPatient",
    "PrintedLabel",
    "PrintedLegend",
    "Recipient",
    "Reprint",
    "SymbolRole",
    "TemplateRegister",
    "Verified",
    "draw",
    "first_register",
    "print_label",
    "refuse_superseded",
    "render_png",
    "reprint",
    "required_legends",
    "sheet",
    "verify_printed",
]
