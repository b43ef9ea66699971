from datetime import UTC, datetime, timedelta

import pytest
from alembic import command
from sqlalchemy import select, text

from wuye_loop.domain.errors import BadInput
from wuye_loop.domain.privacy.access import api_keys as keys
from wuye_loop.domain.terms import ActorKind
from wuye_loop.ports import SystemIds
from wuye_loop.store.database import Database, alembic_config
from wuye_loop.store.directory.load import load_directory
from wuye_loop.store.keys import api_keys
from wuye_loop.store.keys.api_keys import KeyWish
from wuye_loop.store.schema import tables

NOW = datetime(2026, 11, 20, 1, 0, tzinfo=UTC)
IDS = SystemIds()
DIRECTORY = {
    "areas": [
        {"code": "370705", "name": "某区", "level": "district"},
        {"code": "370705001", "name": "东关街道", "level": "street", "parent": "370705"},
    ],
    "units": [
        {"code": "fire", "name": "消防", "kind": "department"},
        {"code": "sunny", "name": "向阳物业", "kind": "company"},
    ],
}


@pytest.fixture
def district(database: Database) -> Database:
    with database.begin() as session:
        load_directory(session, DIRECTORY)
    return database


def test_a_key_is_found_by_its_digest_and_its_text_is_stored_nowhere(district: Database) -> None:
    with district.begin() as session:
        key = api_keys.create(session, role="unit", unit="fire", now=NOW, ids=IDS)
    assert keys.well_formed(key)
    with district.read() as session:
        row = api_keys.find(session, keys.digest(key), NOW)
        stored = session.execute(select(tables.api_key)).one()
    assert row is not None
    assert (row.role, row.unit_code, row.scopes, row.prefix) == ("unit", "fire", ["act"], key[:15])
    assert not any(key in str(value) for value in stored)


def test_a_supervisor_of_a_street_acts_over_its_subtree_and_one_of_none_over_all(district: Database) -> None:
    with district.begin() as session:
        street = api_keys.create(session, role="supervisor", area="370705001", now=NOW, ids=IDS)
        whole = api_keys.create(session, role="supervisor", now=NOW, ids=IDS)
        rows = [api_keys.find(session, keys.digest(key), NOW) for key in (street, whole)]
    actors = [api_keys.actor_of(row) for row in rows if row]
    assert [actor.area_path for actor in actors] == ["370705/370705001/", ""]
    assert {actor.kind for actor in actors} == {ActorKind.SUPERVISOR}
    assert actors[0].scopes == {"act", "supervise"}


def test_a_hotline_has_a_source_and_may_reveal_identities(district: Database) -> None:
    with district.begin() as session:
        made = [api_keys.create(session, role="hotline", now=NOW, ids=IDS, source=name) for name in (None, "wx")]
        rows = [api_keys.find(session, keys.digest(key), NOW) for key in made]
    assert [row.source for row in rows if row] == ["12345", "wx"]
    assert all("identity:reveal" in row.scopes for row in rows if row)


def test_an_expired_a_revoked_and_an_unknown_key_are_not_found(district: Database) -> None:
    with district.begin() as session:
        key = api_keys.create(session, role="admin", days=2, now=NOW, ids=IDS)
        other = api_keys.create(session, role="admin", now=NOW, ids=IDS)
        assert api_keys.find(session, keys.digest(key), NOW + timedelta(days=1)) is not None
        assert api_keys.find(session, keys.digest(key), NOW + timedelta(days=2)) is None
        assert api_keys.find(session, keys.digest("wyl_live_none"), NOW) is None
        assert api_keys.revoke(session, keys.prefix(other), NOW) == 1
        assert api_keys.revoke(session, other, NOW) == 0
        assert api_keys.revoke(session, "wyl_live_", NOW) == 0
        assert api_keys.find(session, keys.digest(other), NOW) is None
        assert [row.revoked_at for row in api_keys.listed(session)].count(NOW) == 1


def test_the_key_of_a_unit_that_has_ended_is_not_found(district: Database) -> None:
    with district.begin() as session:
        key = api_keys.create(session, role="unit", unit="fire", now=NOW, ids=IDS)
        load_directory(session, {"units": [{"code": "fire", "name": "消防", "kind": "department", "active": False}]})
        assert api_keys.find(session, keys.digest(key), NOW) is None


def test_a_key_is_found_by_its_id_only_while_its_text_would_open_the_door(district: Database) -> None:
    with district.begin() as session:
        wishes = (KeyWish("admin", days=2), KeyWish("hotline"), KeyWish("unit", "fire"))
        brief, revoked, ended = (api_keys.make(session, wish, NOW, IDS).id for wish in wishes)
        found = [api_keys.find_by_id(session, key, NOW) for key in (brief, revoked, ended)]
        assert [row.id for row in found if row] == [brief, revoked, ended]
        api_keys.end(session, revoked, NOW)
        load_directory(session, {"units": [{"code": "fire", "name": "消防", "kind": "department", "active": False}]})
        later = NOW + timedelta(days=2)
        assert [api_keys.find_by_id(session, key, later) for key in (brief, revoked, ended)] == [None, None, None]


def test_keys_of_before_go_on_name_nobody_and_are_a_family_each(district: Database) -> None:
    with district.begin() as session:
        made = [api_keys.create(session, role=role, now=NOW, ids=IDS) for role in ("hotline", "admin")]
    with district.engine.connect() as connection:
        command.downgrade(alembic_config(connection=connection), "0004")
    with district.engine.begin() as connection:
        connection.execute(text("UPDATE api_key SET unit_code = 'fire', area_path = 'x/' WHERE role = 'admin'"))
    district.migrate()
    with district.read() as session:
        rows = [api_keys.find(session, keys.digest(key), NOW) for key in made]
    assert [(row.role, row.holder, row.made_by, row.family == row.id) for row in rows if row] == [
        ("hotline", None, {}, True),
        ("admin", None, {}, True),
    ]


@pytest.mark.parametrize(
    ("wanted", "words"),
    [
        ({"role": "king"}, "角色"),
        ({"role": "system"}, "角色"),
        ({"role": "unit"}, "哪个单位"),
        ({"role": "unit", "unit": "nobody"}, "没有这个单位"),
        ({"role": "supervisor", "area": "999"}, "没有这个属地"),
        ({"role": "unit", "unit": "sunny", "reveal": True}, "物业企业"),
        ({"role": "unit", "unit": "sunny", "scopes": ["identity:reveal"]}, "物业企业"),
        ({"role": "admin", "scopes": ["everything"]}, "没有这种权限"),
        ({"role": "admin", "days": 0}, "有效期"),
    ],
)
def test_a_key_that_must_not_be_is_refused_in_words(district: Database, wanted: dict[str, object], words: str) -> None:
    with district.begin() as session, pytest.raises(BadInput, match=words):
        api_keys.create(session, now=NOW, ids=IDS, **wanted)  # type: ignore[arg-type]
