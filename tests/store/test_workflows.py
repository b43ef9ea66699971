from datetime import UTC, datetime

import pytest
from sqlalchemy import select
from tests.site import text_of

from wuye_loop.domain.errors import Conflict, NotFound
from wuye_loop.domain.rulefile.extends import Base, bundle
from wuye_loop.store.database import Database
from wuye_loop.store.reference_cache import Reference
from wuye_loop.store.schema.tables import epoch
from wuye_loop.store.workflows.versions import digest_of, publish, published, remove

NOW = datetime(2026, 11, 20, 1, 0, tzinfo=UTC)


def test_a_version_is_published_once_and_never_changed(database: Database) -> None:
    with database.begin() as session:
        before = session.execute(select(epoch.c.workflows)).scalar_one()
        assert publish(session, "kuiwen@1", "name: kuiwen", NOW)
        assert not publish(session, "kuiwen@1", "name: kuiwen", NOW)
        assert publish(session, "kuiwen@2", "name: 奎文", NOW)
        with pytest.raises(Conflict) as refused:
            publish(session, "kuiwen@1", "name: other", NOW)
        assert published(session) == {"kuiwen@1": "name: kuiwen", "kuiwen@2": "name: 奎文"}
        assert session.execute(select(epoch.c.workflows)).scalar_one() == before + 2
    assert digest_of("name: kuiwen") in str(refused.value)
    assert digest_of("name: other") in str(refused.value)


def test_a_change_of_the_base_is_refused_with_the_hashes_of_the_base(database: Database) -> None:
    def whole(base: str, city: str = "city") -> str:
        text = f"extends: base@1\nname: {city}\nversion: 1\ntitle: 城\n"
        return bundle(text, "city@1.yaml", lambda name: Base(base, f"{name}.yaml"))

    first, second = "name: base\nversion: 1\n", "name: base\nversion: 1\nlevels: []\n"
    with database.begin() as session:
        assert publish(session, "city@1", whole(first), NOW)
        assert not publish(session, "city@1", whole(first), NOW)
        with pytest.raises(Conflict) as refused:
            publish(session, "city@1", whole(second), NOW)
        assert published(session) == {"city@1": whole(first)}
        with pytest.raises(Conflict) as both:
            publish(session, "city@1", whole(second, "other"), NOW)
    says = str(refused.value)
    assert f"base@1.yaml 已发布的 sha256 是 {digest_of(first)}，现在的文件是 {digest_of(second)}" in says
    assert "city@1.yaml" not in says
    assert "city@1.yaml 已发布的 sha256" in str(both.value)


def test_a_version_that_nothing_uses_is_removed_and_its_rules_are_forgotten(database: Database) -> None:
    text, reference = text_of("standard@1"), Reference()
    with database.begin() as session:
        publish(session, "standard@1", text, NOW)
        reference.refresh(session)
        assert reference.rules(session, "standard@1").id == "standard@1"
        remove(session, "standard@1")
        reference.refresh(session)
        with pytest.raises(NotFound):
            reference.rules(session, "standard@1")
        with pytest.raises(NotFound, match="没有发布过"):
            remove(session, "standard@1")
