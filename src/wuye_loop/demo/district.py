"""A made-up district in the shape of 奎文: streets, communities, estates, companies, departments. No name in it is real."""

from itertools import count
from typing import Any, Final

DISTRICT: Final = "370705"
STREETS: Final = 10
COMMUNITIES: Final = 6  # of each street
ESTATES: Final = 12  # of each street
COMPANIES: Final = 25

_STREET_NAMES: Final = ("东篱", "西泠", "南桥", "北苑", "文昌阁", "梧桐里", "虞河湾", "白浪桥", "广润", "樱前")
_FIRST: Final = ("和", "安", "锦", "翠", "云", "嘉", "福", "瑞", "清", "明", "金", "丽", "春", "秋", "望", "晓")
_SECOND: Final = ("泰", "岚", "屏", "溪", "庭", "澜", "茗", "枫", "棠", "汀", "轩", "禾", "樾", "舒")
_ESTATE_ENDS: Final = ("花园", "家园", "小区", "苑", "府", "里", "新村", "名居")
_COMMUNITY_ENDS: Final = ("东社区", "西社区", "南社区", "北社区", "新社区", "前社区")
_ESTATE_KINDS: Final = ("商品房", "商品房", "老旧小区", "商品房", "安置房", "老旧小区")
#: How many households an estate of a kind has, least and most.
_HOUSEHOLDS: Final = {"商品房": (420, 1980), "老旧小区": (160, 760), "安置房": (640, 2400)}
_STEP, _STEPS = 7, 23  # spreads them: no two estates beside one another are alike
_DEPARTMENTS: Final = {
    "fire": "区消防救援部门",
    "market": "区市场监管部门",
    "housing": "区住房城建部门",
    "development": "区发展改革部门",
    "urban-management": "区城市管理部门",
    "natural-resources": "区自然资源部门",
    "tax": "区税务部门",
    "police": "公安分局",
}
#: What the rules of 奎文 name beside its departments: who issues and inspects, and what its list of services is for.
_BESIDE: Final = {
    "district-party-office": "区委办公室",
    "joint-inspection": "联合执法组",
    "civil-affairs": "区民政部门",
    "health": "区卫生健康部门",
    "education-sports": "区教育体育部门",
}


def district() -> dict[str, Any]:
    """Return the directory document: the same every time.

    Codes: streets 370705001 to 370705010, communities street + 3 digits, estates E0101 to E1012 (street, place in it),
    companies company-01 to company-25, `office-<street>` and `station-<community>` for the property offices, `branch-<community>`
    for the party branches.
    """
    areas: list[dict[str, Any]] = [{"code": DISTRICT, "name": "奎明区", "level": "district"}]
    units = _district_units()
    estates: list[dict[str, Any]] = []
    people: list[dict[str, Any]] = []
    homes: dict[str, str] = {}  # company -> the street of its first estate
    names, numbers = _names(), count()
    for place in range(STREETS):
        street, called = f"{DISTRICT}{place + 1:03d}", f"{_STREET_NAMES[place]}街道"
        areas.append({"code": street, "name": called, "level": "street", "parent": DISTRICT})
        units.append(_office(street, called))
        people.append({"unit": f"office-{street}", "name": f"{_STREET_NAMES[place]}物业专员", "duty": "物业专员"})
        for nth in range(COMMUNITIES):
            community = f"{street}{nth + 1:03d}"
            name = f"{_STREET_NAMES[place]}{_COMMUNITY_ENDS[nth]}"
            lon, lat = _middle(place, nth)
            areas.append(
                {"code": community, "name": name, "level": "community", "parent": street, "lon": lon, "lat": lat}
            )
            units += [_station(community, name, street), _branch(community, name, street)]
        for nth in range(ESTATES):
            company = f"company-{next(numbers) * 7 % COMPANIES + 1:02d}"
            homes.setdefault(company, street)
            kind = _ESTATE_KINDS[(place * 5 + nth) % len(_ESTATE_KINDS)]
            estates.append(
                {
                    "code": f"E{place + 1:02d}{nth + 1:02d}",
                    "name": f"{next(names)}{_ESTATE_ENDS[(place + nth) % len(_ESTATE_ENDS)]}",
                    "area": f"{street}{nth % COMMUNITIES + 1:03d}",
                    "company": company,
                    "kind": kind,
                    "households": _households(kind, place * ESTATES + nth),
                }
            )
    units += [_company(nth + 1, homes) for nth in range(COMPANIES)]
    return {"areas": areas, "units": units, "estates": estates, "people": people}


def _households(kind: str, nth: int) -> int:
    least, most = _HOUSEHOLDS[kind]
    return least + (most - least) * (nth * _STEP % _STEPS) // (_STEPS - 1)


def _middle(place: int, nth: int) -> tuple[float, float]:
    """Return where a community lies: streets five to a row, communities three to a row, none exactly beside another."""
    column, row = place % 5 * 3 + nth % 3, place // 5 * 2 + nth // 3
    return round(119.05 + 0.01 * column + 0.001 * row, 3), round(36.75 - 0.01 * row - 0.001 * (column % 3), 3)


def _names() -> Any:
    """Yield two-character names, every one different: 16 times 14 is more than there are estates."""
    return (
        first + _SECOND[(row + at) % len(_SECOND)] for row in range(len(_SECOND)) for at, first in enumerate(_FIRST)
    )


def _district_units() -> list[dict[str, Any]]:
    units: list[dict[str, Any]] = [
        {"code": "command-office", "name": "区物业管理改革提升指挥部办公室", "kind": "office", "area": DISTRICT},
        {
            "code": "property-centre", "name": "区物业发展服务中心", "kind": "centre", "area": DISTRICT,
            "parent": "command-office", "duties": ["property-centre"],
        },
    ]  # fmt: skip
    units += [
        {
            "code": code,
            "name": name,
            "kind": "department",
            "area": DISTRICT,
            "parent": "command-office",
            "duties": [code],
        }
        for code, name in _DEPARTMENTS.items()
    ]
    units += [
        {"code": code, "name": name, "kind": "department", "area": DISTRICT, "parent": "command-office"}
        for code, name in _BESIDE.items()
    ]
    return units


def _office(street: str, name: str) -> dict[str, Any]:
    return {
        "code": f"office-{street}", "name": f"{name}物业管理办公室", "kind": "office", "area": street,
        "parent": "command-office", "duties": ["property-office"],
    }  # fmt: skip


def _station(community: str, name: str, street: str) -> dict[str, Any]:
    return {
        "code": f"station-{community}", "name": f"{name}物业服务站", "kind": "community", "area": community,
        "parent": f"office-{street}", "duties": ["property-station", "property-service"],
    }  # fmt: skip


def _branch(community: str, name: str, street: str) -> dict[str, Any]:
    return {
        "code": f"branch-{community}", "name": f"{name}小区党支部", "kind": "office", "area": community,
        "parent": f"office-{street}", "duties": ["party-branch"],
    }  # fmt: skip


def _company(number: int, homes: dict[str, str]) -> dict[str, Any]:
    code = f"company-{number:02d}"
    name = f"{_SECOND[number % len(_SECOND)]}{_FIRST[(number * 3) % len(_FIRST)]}物业服务公司（演示）"
    return {"code": code, "name": name, "kind": "company", "parent": f"office-{homes[code]}"}
