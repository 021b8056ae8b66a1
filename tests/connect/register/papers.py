"""Register documents written for the tests, after the published forms; none is a real trial."""

ICTRP = """<?xml version="1.0" encoding="UTF-8"?>
<Trials_downloaded_from_ICTRP><Trial>
<TrialID>ChiCTR2100099999</TrialID><Source_Register>ChiCTR</Source_Register>
<Public_title>Cells in a disease</Public_title><Scientific_title>A made-up study of cells</Scientific_title>
<Primary_sponsor>A hospital</Primary_sponsor><Date_registration>05/03/2021</Date_registration>
<Date_enrollement>2021-04-01</Date_enrollement><Recruitment_Status>Recruiting</Recruitment_Status>
<Secondary_ID>NCT09999999</Secondary_ID><Phase>Phase I/II</Phase><Target_size>20</Target_size>
<Inclusion_agemin>90 minutes</Inclusion_agemin><Inclusion_agemax>18M</Inclusion_agemax>
<Inclusion_gender>Both</Inclusion_gender><Countries>China;Japan</Countries>
<Inclusion_Criteria>1. One;
2. Two &lt; 3</Inclusion_Criteria><Exclusion_Criteria>Exclusion criteria:
1. Three</Exclusion_Criteria><Condition>A;B</Condition><Ethics_Status>Approved</Ethics_Status>
</Trial></Trials_downloaded_from_ICTRP>"""

CDE = """<html><head><title>药物临床试验登记与信息公示平台</title><script>var x = 1;</script></head><body>
<table><tr><th>登记号</th><td>CTR20219999</td><th>试验状态</th><td>进行中 招募中</td></tr></table>
<table><tr><th>首次公示信息日期</th><td>2021年3月5日</td></tr>
<tr><th>药物名称</th><td>某某细胞注射液</td></tr><tr><th>药物类型</th><td>生物制品</td></tr>
<tr><th>临床申请受理号</th><td>CXSL1900099</td></tr><tr><th>适应症</th><td>某某病</td></tr>
<tr><th>试验通俗题目</th><td>某某细胞治疗某某病</td></tr><tr><th>试验分期</th><td>Ⅱ期</td></tr>
<tr><th>申请人名称</th><td>某某公司</td></tr>
<tr><th>年龄</th><td>18岁(最小年龄)至 75岁(最大年龄)</td></tr><tr><th>性别</th><td>男+女</td></tr>
<tr><th>入选标准</th><td><table><tr><td>1</td><td>第一条 ≥ 2</td></tr><tr><td>2</td><td>第二条</td></tr></table></td></tr>
<tr><th>排除标准</th><td><table><tr><td>1</td><td>第三条</td></tr></table></td></tr>
<tr><th>目标入组人数</th><td>国内: 30 ；</td></tr>
<tr><th>第一例受试者入组日期</th><td>国内：2021-04-02；</td></tr></table></body></html>"""


def v2(number: str = "NCT09999999", **status: object) -> dict[str, object]:
    """A record of ClinicalTrials.gov with the quirks that real ones have."""
    return {
        "protocolSection": {
            "identificationModule": {
                "nctId": number,
                "briefTitle": "Cells &amp; a disease",
                "orgStudyIdInfo": {"id": "HOUSE-1"},
                "secondaryIdInfos": [{"id": "2020-001234-56", "type": "EUDRACT_NUMBER"}],
            },
            "statusModule": {
                "overallStatus": "UNKNOWN",
                "startDateStruct": {"date": "2021-02"},
                "completionDateStruct": {"date": "2024-12-31", "type": "ESTIMATED"},
                **status,
            },
            "eligibilityModule": {
                "eligibilityCriteria": "Inclusion Criteria:\n\n* ALT \\< 3 x ULN\n* age \\>= 18\n\nExclusion Criteria:\n\n* None",
                "minimumAge": "30 Minutes",
                "sex": "ALL",
            },
            "conditionsModule": {"conditions": ["A disease"]},
            "contactsLocationsModule": {"locations": [{"facility": "F", "country": "China", "geoPoint": {"lat": 1.5}}]},
        },
        "hasResults": False,
    }  # fmt: skip
