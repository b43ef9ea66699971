"""葛店's made-up directory, three levels with two communities, and the plain steps that its stories begin with."""

from datetime import timedelta
from typing import Any

from tests.site import FINISH, GOOD, Driver


def area(code: str, name: str, level: str, parent: str | None = None) -> dict[str, Any]:
    return {"code": code, "name": name, "level": level, "parent": parent}


def unit(code: str, kind: str, area_code: str, parent: str | None, *duties: str) -> dict[str, Any]:
    return {"code": code, "name": f"单位 {code}", "kind": kind, "area": area_code, "parent": parent, "duties": duties}


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
        unit("admin-office", "office", "9904", None),
        unit("property-platform", "centre", "9904", "housing"),
        unit("housing", "department", "9904", "admin-office", "property-authority", "property-meeting"),
        unit("housing-property", "office", "9904", "housing", "property-office"),
        *(unit(code, "department", "9904", "admin-office") for code in DEPARTMENTS),
        unit("association", "office", "9904", "housing", "trade-mediation"),
        unit("justice", "office", "9904", "admin-office", "judicial-mediation"),
        unit("panel", "office", "9904", "housing", "review-panel"),
        unit("assessor", "office", "9904", "housing", "assessor"),
        unit("town", "office", "990401", "housing", "town-government", "property-meeting"),
        unit("town-property", "office", "990401", "town", "property-office"),
        *(
            made
            for n in (1, 2)
            for made in (
                unit(f"community-{n}", "community", f"99040100{n}", "town", "community-committee", "property-meeting"),
                unit(f"grid-{n}", "community", f"99040100{n}", f"community-{n}", "property-office"),
                unit(f"committee-{n}", "office", f"99040100{n}", f"community-{n}", "owners-committee"),
                unit(f"mediators-{n}", "office", f"99040100{n}", f"community-{n}", "people-mediation"),
                unit(f"company-{n}", "company", f"99040100{n}", f"community-{n}"),
            )
        ),
    ],
    "estates": [
        {"code": "E1", "name": "一号院", "area": "990401001", "company": "company-1", "kind": "商品房"},
        {"code": "E2", "name": "二号院", "area": "990401002", "company": "company-2", "kind": "还建"},
        {"code": "E3", "name": "三号院", "area": "990401002", "company": None, "kind": "老旧小区"},
    ],
}


def wall(drive: Driver, number: str, clock: str) -> str:
    """Return when the newest instance of a clock is due, as a Beijing wall clock shows it."""
    return (drive.town.clocks(number, clock)[-1].due_at + timedelta(hours=8)).strftime("%m-%d %H:%M")


async def seen(drive: Driver, number: str, who: str = "admin") -> Any:
    return await drive.get(who, f"/v1/grievances/{number}")


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
