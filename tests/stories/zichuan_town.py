"""A made-up district for 淄川's story: two streets, their communities and companies, and twelve member units."""

from typing import Any

from tests.site import area

#: 四项措施, each with the unit that is to carry it out in the first estate.
MEASURES = {
    "领导干部挂包领办": "leaders",
    "主管部门挂牌督办": "property-section",
    "社区物业党建联建": "party-1",
    "小区结对共建": "company-2",
}
#: 文章点名组织、民政、城管等 12 个成员单位.
MEMBERS = (
    "organization", "civil-affairs", "urban-management", "housing", "finance", "police",
    "fire", "market", "natural-resources", "environment", "justice", "petition",
)  # fmt: skip


def unit(code: str, kind: str, area_code: str, *duties: str, parent: str | None = None) -> dict[str, Any]:
    return {"code": code, "name": f"单位 {code}", "kind": kind, "area": area_code, "parent": parent, "duties": duties}


UNITS: dict[str, Any] = {
    "areas": [
        area("3703", "示范区", "district"),
        area("370301", "甲街道", "street", "3703"),
        area("370302", "乙街道", "street", "3703"),
        area("370301001", "甲一社区", "community", "370301"),
        area("370302001", "乙一社区", "community", "370302"),
    ],
    "units": [
        unit("red-centre", "office", "3703", "meeting-office"),
        unit("platform", "centre", "3703", parent="red-centre"),
        unit("property-section", "office", "3703", parent="red-centre"),
        unit("leaders", "office", "3703", parent="red-centre"),
        unit("inspection-team", "department", "3703", "inspection", parent="red-centre"),
        *(unit(code, "department", "3703", parent="red-centre") for code in MEMBERS),
        *(unit(f"street-{n}", "office", f"37030{n}", "property-office", parent="red-centre") for n in (1, 2)),
        *(unit(f"alliance-{n}", "office", f"37030{n}", "meeting-office", parent=f"street-{n}") for n in (1, 2)),
        *(unit(f"patrol-{n}", "office", f"37030{n}", "patrol", parent=f"street-{n}") for n in (1, 2)),
        *(unit(f"party-{n}", "office", f"37030{n}001", "meeting-office", parent=f"street-{n}") for n in (1, 2)),
        *(
            unit(f"community-{n}", "community", f"37030{n}001", "community-office", parent=f"street-{n}")
            for n in (1, 2)
        ),
        *(unit(f"company-{n}", "company", f"37030{n}001", parent=f"street-{n}") for n in (1, 2)),
    ],
    "estates": [
        {"code": "E1", "name": "甲苑", "area": "370301001", "company": "company-1", "kind": "老旧小区"},
        {"code": "E2", "name": "乙苑", "area": "370302001", "company": "company-2", "kind": "商品房"},
        {"code": "E3", "name": "丙院", "area": "370301001", "company": None, "kind": "无物业小区"},
    ],
}
