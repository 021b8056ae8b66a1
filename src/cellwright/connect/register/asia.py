"""The WHO's search portal, which brings the Chinese register, and saved pages of China's register of drug trials.

The portal's XML and the saved pages were written after descriptions of their fields; no real file of either was at hand
when this was written, and the manual says so.
"""

from collections.abc import Mapping
from html.parser import HTMLParser
from typing import Any, Final

from cellwright.connect.register import terms
from cellwright.connect.register.document import Document
from cellwright.connect.register.fields import TrialFields, age_field, dates, listed, numbers, with_quirks


def ictrp_number(tree: Mapping[str, Any]) -> str:
    return str(tree.get("TrialID", "")).strip()


def ictrp(doc: Document) -> TrialFields:
    """A trial of the WHO portal's XML; dates are day/month/year."""
    own = doc.first("TrialID")
    stated = [
        (text, name, True) for name in ("Secondary_ID", "SecondaryIDs", "Secondary_IDs") for text in doc.values(name)
    ]
    inclusion, exclusion = doc.first("Inclusion_Criteria"), doc.first("Exclusion_Criteria")
    phase = doc.first("Phase")
    parts = [part for part in (inclusion, exclusion) if part]
    fields = TrialFields(
        title=doc.first("Public_title"),
        official_title=doc.first("Scientific_title"),
        acronym=doc.first("Acronym"),
        status=terms.state(doc.first("Recruitment_Status", "Recruitment_status")),
        status_text=doc.first("Recruitment_Status", "Recruitment_status"),
        study_type=doc.first("Study_type"),
        design=tuple(doc.values("Study_design")),
        phase=terms.phase(phase),
        phase_text=phase,
        dates=dates(
            registered=(_day(doc.first("Date_registration")), ""),
            start=(_day(doc.first("Date_enrollement", "Date_enrollment")), ""),
            updated=(_day(doc.first("Last_Refreshed_on", "Last_updated")), ""),
            completion=(_day(doc.first("results_date_completed")), ""),
            results_posted=(_day(doc.first("results_date_posted")), ""),
        ),
        enrolment=doc.first("Target_size"),
        sponsor=doc.first("Primary_sponsor"),
        collaborators=tuple(part.strip() for part in doc.first("Secondary_Sponsor").split(";") if part.strip()),
        conditions=tuple(part.strip() for part in doc.first("Condition").split(";") if part.strip()),
        interventions=listed({"name": one} for one in doc.values("Intervention")),
        primary_outcomes=listed({"measure": one} for one in doc.values("Primary_outcome")),
        secondary_outcomes=listed({"measure": one} for one in doc.values("Secondary_outcome")),
        criteria="\n".join(parts),
        inclusion=terms.items(_below(inclusion)),
        exclusion=terms.items(_below(exclusion)),
        sex=doc.first("Inclusion_gender"),
        minimum_age=age_field(doc.first("Inclusion_agemin")),
        maximum_age=age_field(doc.first("Inclusion_agemax")),
        countries=tuple(part.strip() for part in doc.first("Countries").split(";") if part.strip()),
        url=doc.first("web_address", "url"),
        numbers=numbers(stated, own),
        other_ids=tuple(text for text, _path, _sure in stated if not terms.numbers(text)),
    )  # fmt: skip
    return with_quirks(fields, kinds=False)


def _day(text: str) -> str:
    """Dates such as `20210305`, which the portal writes beside others."""
    return f"{text[:4]}-{text[4:6]}-{text[6:]}" if len(text) == 8 and text.isdigit() else text


def _below(text: str) -> str:
    """The text below its own heading."""
    first, newline, rest = text.partition("\n")
    head = first.strip().lower().rstrip(":：")
    return rest if newline and head in ("inclusion criteria", "exclusion criteria") else text


# --- saved pages of chinadrugtrials.org.cn

_LABELS: Final = {
    "登记号": "number", "试验状态": "status", "相关登记号": "related", "药物名称": "drug", "药物类型": "drug_type",
    "临床申请受理号": "acceptance", "适应症": "condition", "试验专业题目": "official_title", "试验通俗题目": "title",
    "试验方案编号": "plan", "方案最新版本号": "plan_version", "版本日期": "plan_date", "申请人名称": "sponsor",
    "申办者名称": "sponsor", "首次公示信息日期": "first_posted", "首次公示信息的日期": "first_posted",
    "试验分类": "study_type", "试验分期": "phase", "设计类型": "design", "随机化": "allocation", "盲法": "masking",
    "试验范围": "scope", "试验目的": "purpose", "年龄": "age", "性别": "sex", "健康受试者": "healthy",
    "入选标准": "inclusion", "排除标准": "exclusion", "目标入组人数": "target", "已入组人数": "enrolled",
    "实际入组总人数": "enrolled_total", "实际入组人数": "enrolled_total", "第一例受试者入组日期": "first_patient",
    "第一例受试者签署知情同意书日期": "first_consent", "试验完成日期": "completed", "试验终止日期": "completed",
}  # fmt: skip
"""Labels of the page and what they mean here; every other label is kept and listed under its own name."""


class _Page(HTMLParser):
    """Rows of all tables of a page, each a list of the texts of its cells, inner tables for themselves."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.rows: list[list[str]] = []
        self._open: list[list[str]] = []
        self._cells: list[list[str]] = []
        self._skip = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in ("script", "style"):
            self._skip += 1
        elif tag == "tr":
            self._open.append([])
        elif tag in ("td", "th") and self._open:
            self._cells.append([])
        elif tag == "br" and self._cells:
            self._cells[-1].append("\n")

    def handle_endtag(self, tag: str) -> None:
        if tag in ("script", "style"):
            self._skip = max(0, self._skip - 1)
        elif tag in ("td", "th") and self._cells and self._open:
            lines = "".join(self._cells.pop()).split("\n")
            self._open[-1].append("\n".join(" ".join(line.split()) for line in lines).strip())
        elif tag == "tr" and self._open:
            self.rows.append(self._open.pop())

    def handle_data(self, data: str) -> None:
        if self._cells and not self._skip:
            self._cells[-1].append(data)


def page_tree(text: str) -> dict[str, Any]:
    """A saved page as labels and values.

    A row of two, four … cells is labels and values in turn. Rows that begin with a number continue the label whose cell
    stood last without a value, which is how the criteria are laid out.
    """
    page = _Page()
    page.feed(text)
    tree: dict[str, Any] = {}
    for row in page.rows:
        cells = [cell for cell in row if cell]
        if len(cells) == 2 and cells[0].isdigit() and tree:
            continue
        for label, value in zip(cells[::2], cells[1::2], strict=False):
            name = label.rstrip(":：* ").strip()
            if 0 < len(name) <= 40 and name not in tree:
                tree[name] = value
    return tree | _criteria(page.rows)


def _criteria(rows: list[list[str]]) -> dict[str, str]:
    """The numbered rows that follow each other: the first such run is inclusion, the second exclusion."""
    runs: list[list[str]] = []
    last = 0
    for row in rows:
        cells = [cell for cell in row if cell]
        if len(cells) == 2 and cells[0].isdigit():
            number = int(cells[0])
            if number == 1 or not runs:
                runs.append([])
            if number == 1 or number == last + 1:
                runs[-1].append(cells[1])
            last = number
    named = dict(zip(("入选标准", "排除标准"), runs, strict=False))
    return {label: "\n".join(points) for label, points in named.items()}


def cde_number(tree: Mapping[str, Any]) -> str:
    return str(tree.get("登记号", ""))


def cde(doc: Document) -> TrialFields:
    """A saved page of China's register of drug trials."""
    at: dict[str, list[str]] = {}
    for label, name in _LABELS.items():
        if value := doc.first(label):
            at.setdefault(name, []).append(value)

    def get(name: str) -> str:
        return next(iter(at.get(name, ())), "")

    own = get("number")
    ages = get("age")
    low, _dash, high = ages.partition("至")
    fields = TrialFields(
        title=get("title"),
        official_title=get("official_title"),
        status=terms.state(get("status")),
        status_text=get("status"),
        study_type=get("study_type"),
        design=tuple(filter(None, (get("design"), get("allocation"), get("masking"), get("scope")))),
        phase=terms.phase(get("phase")),
        phase_text=get("phase"),
        dates=dates(
            first_posted=(get("first_posted"), ""),
            first_consent=(_after_colon(get("first_consent")), ""),
            start=(_after_colon(get("first_patient")), ""),
            completion=(_after_colon(get("completed")), ""),
        ),
        enrolment=get("enrolled_total") or get("enrolled") or get("target"),
        enrolment_kind="actual" if get("enrolled_total") else "estimated",
        sponsor=get("sponsor"),
        conditions=tuple(at.get("condition", ())),
        interventions=listed([{"name": get("drug"), "type": get("drug_type")}] if get("drug") else ()),
        criteria="\n".join(filter(None, ("入选标准", get("inclusion"), "排除标准", get("exclusion")))),
        inclusion=terms.items(get("inclusion")),
        exclusion=terms.items(get("exclusion")),
        sex=get("sex"),
        minimum_age=age_field(low.strip()),
        maximum_age=age_field(high.strip()),
        healthy_volunteers=get("healthy"),
        description=get("purpose"),
        numbers=numbers([(get("related"), "相关登记号", False)], own),
        other_ids=tuple(filter(None, (get("acceptance"), get("plan")))),
    )
    return with_quirks(fields, kinds=False)


def _after_colon(text: str) -> str:
    """The date in a cell such as `国内：2021-03-05；`."""
    return text.split("；")[0].rpartition("：")[2].strip()
