"""葛店's made-up directory, three levels with two communities, and the plain steps that its stories begin with."""

from typing import Any

from tests.site import FINISH, GOOD, Driver, area, made_up, seen

DEPARTMENTS = (
    "law-enforcement", "police", "market", "environment", "natural-resources", "finance", "water", "gas", "power",
)  # fmt: skip
UNITS: dict[str, Any] = {
    "areas": [
        area("9904", "示范开发区", "district"),
        area("990401", "示范镇", "street", "9904"),
        *(area(f"99040100{n}", f"{n}号社区", "community", "990401") for n in (1, 2)),
    ],
    "units": [
        made_up("admin-office", "office", "9904", None),
        made_up("property-platform", "centre", "9904", "housing"),
        made_up("housing", "department", "9904", "admin-office", "property-authority", "property-meeting"),
        made_up("housing-property", "office", "9904", "housing", "property-office"),
        *(made_up(code, "department", "9904", "admin-office") for code in DEPARTMENTS),
        made_up("association", "office", "9904", "housing", "trade-mediation"),
        made_up("justice", "office", "9904", "admin-office", "judicial-mediation"),
        made_up("panel", "office", "9904", "housing", "review-panel"),
        made_up("assessor", "office", "9904", "housing", "assessor"),
        made_up("town", "office", "990401", "housing", "town-government", "property-meeting"),
        made_up("town-property", "office", "990401", "town", "property-office"),
        *(
            made
            for n in (1, 2)
            for made in (
                made_up(
                    f"community-{n}", "community", f"99040100{n}", "town", "community-committee", "property-meeting"
                ),
                made_up(f"grid-{n}", "community", f"99040100{n}", f"community-{n}", "property-office"),
                made_up(f"committee-{n}", "office", f"99040100{n}", f"community-{n}", "owners-committee"),
                made_up(f"mediators-{n}", "office", f"99040100{n}", f"community-{n}", "people-mediation"),
                made_up(f"company-{n}", "company", f"99040100{n}", f"community-{n}"),
            )
        ),
    ],
    "estates": [
        {"code": "E1", "name": "一号院", "area": "990401001", "company": "company-1", "kind": "商品房"},
        {"code": "E2", "name": "二号院", "area": "990401002", "company": "company-2", "kind": "还建"},
        {"code": "E3", "name": "三号院", "area": "990401002", "company": None, "kind": "老旧小区"},
    ],
}


def neighbour(name: str) -> dict[str, Any]:
    """Return a complainant of their own for each name."""
    return {"name": "王五", "phone": f"139{sum(map(ord, name)) * 7919 % 10**8:08d}"}


async def contacted(drive: Driver, number: str, who: str) -> None:
    """Sign and speak with the complainant first."""
    await drive.act(who, number, "sign")
    await drive.act(who, number, "first_contact", {"way": "电话", "contacted": True, "note": "约定明日上门"})


async def handling(drive: Driver, name: str = "a1", who: str = "company-1", **fields: Any) -> str:
    """Bring a matter to the unit that handles it in the community."""
    number = await drive.push(name, **{"complainant": neighbour(name)} | fields)
    await drive.act("property-platform", number, "accept")
    await contacted(drive, number, who)
    return number


async def closed(drive: Driver, number: str, who: str) -> None:
    """Hand in, have it approved, call back and be rated well."""
    await drive.act(who, number, "finish", FINISH)
    await drive.act("property-platform", number, "approve")
    await drive.act("property-platform", number, "call_back", {"outcome": "接通"})
    await drive.act("hotline", number, "rate", GOOD)
    assert (await seen(drive, number))["state"] == "closed"
