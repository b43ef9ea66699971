from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

import pytest
from sqlalchemy import insert, select, text
from sqlalchemy.orm import Session
from tests.speed import cost, yardstick

from wuye_loop.domain.directory.document import BadDirectory
from wuye_loop.ports import SeededIds
from wuye_loop.store import registry
from wuye_loop.store.database import Database
from wuye_loop.store.directory.load import Change, load_directory
from wuye_loop.store.directory.read import read_directory
from wuye_loop.store.grievance.intake import Asked, EstateRow, look
from wuye_loop.store.keys import accounts, api_keys
from wuye_loop.store.keys.accounts import AccountWish
from wuye_loop.store.schema import tables
from wuye_loop.store.schema.account_tables import account

NOW = datetime(2026, 11, 20, 1, 0, tzinfo=UTC)
IDS = SeededIds(1)
SMALL: dict[str, Any] = {
    "areas": [
        {"code": "370705001001", "name": "东苑社区", "level": "community", "parent": 370705001},
        {"code": 370705001, "name": "东关街道", "level": "street", "parent": 370705},
        {"code": "370705002", "name": "西关街道", "level": "street", "parent": "370705"},
        {"code": "370705", "name": "某区", "level": "district"},
    ],
    "units": [
        {
            "code": "office-1",
            "name": "东关街道物业办",
            "kind": "office",
            "area": 370705001,
            "duties": ["property-office"],
        },
        {"code": "sunny", "name": "向阳物业", "kind": "company", "parent": "office-1"},
    ],
    "estates": [
        {"code": "E1", "name": "向阳花园", "area": "370705001001", "company": "sunny"},
        {"code": "E2", "name": "同名小区", "area": "370705001001"},
        {"code": "E3", "name": "同名小区", "area": "370705002"},
    ],
    "people": [{"unit": "office-1", "name": "某科长", "duty": "科长"}],
}


def load(database: Database, document: object = SMALL) -> None:
    with database.begin() as session:
        load_directory(session, document)


def paths(session: Session) -> dict[str, str]:
    return {row.code: row.path for row in session.execute(select(tables.area.c.code, tables.area.c.path))}


def test_a_path_is_the_codes_from_the_top_whatever_the_order_of_the_file(database: Database) -> None:
    with database.begin() as session:
        before = read_directory(session).version
        counts = load_directory(session, SMALL)
    assert (counts.areas, counts.units, counts.estates) == (Change(4, 0, 0), Change(2, 0, 0), Change(3, 0, 0))
    with database.read() as session:
        assert paths(session)["370705001001"] == "370705/370705001/370705001001/"
        directory = read_directory(session)
    assert directory.version == before + 1
    found = directory.by_duty("property-office", "370705/370705001/370705001001/", "street")
    assert found is not None
    assert (found.code, found.duties) == ("office-1", ("property-office",))
    assert directory.superior("sunny") == found


def test_loading_twice_changes_nothing_and_loading_a_change_changes_that(database: Database) -> None:
    load(database)
    with database.begin() as session:
        before = read_directory(session).version
        again = load_directory(session, SMALL)
    assert (again.areas, again.people) == (Change(0, 0, 4), Change(0, 0, 1))
    with database.begin() as session:
        ended = load_directory(
            session, {"units": [{"code": "sunny", "name": "向阳物业", "kind": "company", "active": False}]}
        )
    assert ended.units == Change(0, 1, 0)
    with database.read() as session:
        directory = read_directory(session)
    assert directory.unit("sunny") is None
    assert directory.version == before + 2


@pytest.mark.parametrize(
    ("document", "words"),
    [
        (
            {"areas": [{"code": "1", "name": "甲", "level": "street", "parent": "9"}]},
            "areas 第 1 条（1）：上级属地 9 不存在",
        ),
        ({"areas": [{"code": "1", "name": "甲", "level": "town"}]}, "（1）：level 只能写 community, street"),
        ({"areas": [{"code": "a/b", "name": "甲", "level": "street"}]}, "（a/b）：code 只能用字母"),
        ({"areas": [{"code": "1", "name": "甲\x00", "level": "street"}]}, "（1）：name 含有不允许的控制字符"),
        ({"areas": [{"code": "1", "name": " ", "level": "street"}]}, "（1）：name 不能为空"),
        ({"areas": [{"code": "1", "name": "甲", "level": "street", "colour": 1}]}, "（1）：colour 不认识这一项"),
        ({"areas": [{"code": "1", "name": "甲", "level": "street"}] * 2}, "第 2 条（1）：编码重复，第 1 条已经写过"),
        ({"estates": [{"code": "E", "name": "甲", "area": "1"}]}, "estates 第 1 条（E）：属地 1 不存在"),
        ({"people": [{"unit": "u", "name": "某人"}]}, "people 第 1 条（某人）：单位 u 不存在"),
        ({"units": [{"code": "u", "name": "甲", "kind": "office", "parent": "u"}]}, "（u）：上级绕成了圈：u → u"),
        ({"units": [{"code": "u", "name": "甲", "kind": "office", "area": "7"}]}, "（u）：属地 7 不存在"),
        ({"units": [{"code": "u", "name": "甲", "kind": "ministry"}]}, "（u）：kind 只能写 department"),
        ({"units": "u"}, "单位 units：要写成列表"),
        ({"unit": []}, "不认识“unit”"),
        ([], "areas、units、estates、people"),
    ],
)
def test_a_wrong_entry_is_named_and_nothing_is_stored(database: Database, document: object, words: str) -> None:
    with database.read() as session:
        before = read_directory(session).version
    with pytest.raises(BadDirectory) as refused:
        load(database, document)
    assert words in str(refused.value)
    with database.read() as session:
        assert read_directory(session).version == before


def test_areas_that_stand_above_each_other_are_refused_with_the_way_round(database: Database) -> None:
    load(database)
    around = {"areas": [{"code": "370705", "name": "某区", "level": "district", "parent": "370706"},
                        {"code": "370706", "name": "乙区", "level": "district", "parent": "370705"}]}  # fmt: skip
    with pytest.raises(BadDirectory, match="圈"):
        load(database, around)


def test_a_street_cannot_lie_in_a_community(database: Database) -> None:
    load(database)
    inside = {"areas": [{"code": "370705002", "name": "西关街道", "level": "street", "parent": "370705001001"}]}
    with pytest.raises(BadDirectory, match="street 不能属于 community"):
        load(database, inside)


def test_a_moved_area_takes_its_subtree_its_open_grievances_its_keys_and_its_people_along(database: Database) -> None:
    load(database)
    old = "370705/370705001/370705001001/"
    with database.begin() as session:
        api_keys.create(session, role="supervisor", area="370705001001", now=NOW, ids=IDS)
        accounts.create(session, AccountWish("li", "李强", "supervisor", area="370705001001"), "!", NOW, IDS, "test")
        for number, final in (("open", False), ("closed", True)):
            session.execute(insert(tables.grievance).values(**grievance(number, old, final=final)))
        session.execute(text(CLOCK), {"path": old})
    moved = {"areas": [{"code": "370705001001", "name": "东苑社区", "level": "community", "parent": "370705002"}]}
    with database.begin() as session:
        counts = load_directory(session, moved)
    assert counts.grievances == 1
    new = "370705/370705002/370705001001/"
    with database.read() as session:
        assert paths(session)["370705001001"] == new
        held = dict(list(session.execute(select(tables.grievance.c.number, tables.grievance.c.area_path))))
        assert held == {"open": new, "closed": old}
        assert session.execute(select(tables.clock.c.area_path)).scalars().all() == [new]
        assert session.execute(select(tables.api_key.c.area_path)).scalars().all() == [new]
        assert session.execute(select(account.c.area_path)).scalars().all() == [new]


def test_a_moved_street_moves_communities_that_the_file_does_not_name(database: Database) -> None:
    load(database)
    city = {"areas": [{"code": "3707", "name": "某市", "level": "city"},
                      {"code": "370705", "name": "某区", "level": "district", "parent": "3707"}]}  # fmt: skip
    load(database, city)
    with database.read() as session:
        assert paths(session)["370705001001"] == "3707/370705/370705001/370705001001/"


def test_where_an_area_lies_is_kept_when_it_moves_and_given_whole_or_not_at_all(database: Database) -> None:
    load(database)
    with database.read() as session:
        before = registry.directory_as_it_stands(session, ("area",))
        plain = sha256(b"".join(line.encode() + b"\n" for line in session.execute(
            text("SELECT (to_jsonb(t) - 'lon' - 'lat')::text FROM area t ORDER BY 1")).scalars())).hexdigest()  # fmt: skip
    assert before["area"]["sha256"] == plain  # as registers know it from before there were places
    east = {
        "code": "370705001001",
        "name": "东苑社区",
        "level": "community",
        "parent": "370705001",
        "lon": 119.1,
        "lat": 36,
    }
    load(database, {"areas": [east]})
    load(
        database, {"areas": [{"code": "city", "name": "某市", "level": "city"}, SMALL["areas"][3] | {"parent": "city"}]}
    )
    with database.read() as session:
        area = read_directory(session).areas["370705001001"]
        after = registry.directory_as_it_stands(session, ("area",))
    assert (area.lon, area.lat, area.path) == (119.1, 36.0, "city/370705/370705001/370705001001/")
    assert after != before
    for wrong, words in (
        ({"lon": 119.1}, "要么都写，要么都不写"),
        ({"lon": 500, "lat": 1}, "lon 太大"),
        ({"lon": "东", "lat": 1}, "lon 要写数"),
    ):
        with pytest.raises(BadDirectory, match=words):
            load(database, {"areas": [SMALL["areas"][3] | wrong]})


def test_an_estate_is_found_by_code_or_by_a_name_that_means_one(database: Database) -> None:
    load(database)
    with database.read() as session:

        def find(estate: str, area: str | None = None) -> EstateRow | None:
            (found,) = look(session, "s", [Asked("x", estate, area)])
            return found.estate

        by_code, by_name = find("E1"), find("向阳花园")
        assert by_code == by_name
        assert by_code is not None
        assert (by_code.company_code, by_code.area_code) == ("sunny", "370705001001")
        assert find("同名小区") is None
        east, west = find("同名小区", "370705001"), find("同名小区", "370705002")
        assert (east and east.code, west and west.code) == ("E2", "E3")
        assert find("无此小区") is None


def test_a_hundred_thousand_areas_load_at_once(database: Database) -> None:
    streets = [{"code": f"s{n}", "name": f"街道{n}", "level": "street", "parent": "d"} for n in range(1000)]
    communities = [
        {"code": f"c{n}", "name": f"社区{n}", "level": "community", "parent": f"s{n % 1000}"} for n in range(99_000)
    ]
    document = {"areas": [*communities, *streets, {"code": "d", "name": "区", "level": "district"}]}
    assert cost(lambda: load(database, document), 1) < 10_000 * yardstick()
    with database.read() as session:
        assert len(read_directory(session).areas) == 100_001


CLOCK = """
    INSERT INTO clock (id, grievance_id, name, cycle, run, status, started_at, due_at, area_path)
    SELECT gen_random_uuid(), id, 'handle', 1, 1, 'running', now(), now(), :path FROM grievance WHERE number = 'open'
"""


def grievance(number: str, path: str, *, final: bool) -> dict[str, object]:
    return {
        "id": IDS.new(), "number": number, "workflow": "kuiwen@1", "source": "12345", "external_id": number,
        "intake_digest": b"", "channel": "12345", "kind": "投诉", "urgency": "平急", "title": "标题", "body": "内容",
        "received_at": NOW, "area_path": path, "state": "handling", "stage": "handle", "state_since": NOW,
        "final": final, "level": "street", "seq": 1, "head": b"",
    }  # fmt: skip


def test_a_unit_that_open_grievances_use_cannot_be_ended(database: Database) -> None:
    load(database)
    path = "370705/370705001/370705001001/"
    with database.begin() as session:
        for number, final in (("2026-1", False), ("2026-2", False), ("2026-0", True)):
            row = {**grievance(number, path, final=final), "units": ["sunny", "office-1"]}
            session.execute(insert(tables.grievance).values(**row))
    ended = {"units": [{"code": "other", "name": "别家", "kind": "company", "active": False},
                       {"code": "sunny", "name": "向阳物业", "kind": "company", "active": False}]}  # fmt: skip
    with pytest.raises(BadDirectory) as refused, database.begin() as session:
        load_directory(session, ended)
    (words,) = refused.value.problems
    assert words.startswith("单位 units 第 2 条（sunny）：2 件在办诉求还用到它，如 2026-1，不能停用")
    with database.begin() as session:
        session.execute(text("UPDATE grievance SET final = true"))
        load_directory(session, ended)
    load(database, {"units": [{"code": "sunny", "name": "向阳物业", "kind": "company"}]})
