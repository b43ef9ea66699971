from datetime import UTC, datetime

import pytest
from sqlalchemy import select

from wuye_loop.domain.errors import Conflict
from wuye_loop.store.database import Database
from wuye_loop.store.tables import epoch
from wuye_loop.store.workflows import digest_of, publish, published

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
