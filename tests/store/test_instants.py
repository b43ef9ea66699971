from datetime import UTC, datetime

import pytest

from wuye_loop.domain.time.timestamps import as_text
from wuye_loop.store.database import Database
from wuye_loop.store.instants import FIRST, LAST, text_of

INSTANTS = {
    text: datetime.fromisoformat(text).astimezone(UTC)
    for text in (
        "2026-03-02T09:00:00+08:00", "2026-03-02T01:02:03.000004+00:00", "2026-03-02T01:02:03.5+00:00",
        "1969-12-31T23:59:59.999990+00:00", "0003-02-01T00:00:00.1+00:00", "9999-12-30T23:59:59+00:00",
    )
} | {"infinity": LAST, "-infinity": FIRST, "12026-03-02 01:00:00+00": LAST, "0044-03-15 00:00:00+00 BC": FIRST}  # fmt: skip


@pytest.mark.parametrize("zone", ["UTC", "Asia/Shanghai", "America/St_Johns"])
@pytest.mark.parametrize("written", INSTANTS)
def test_an_instant_that_comes_as_text_is_written_as_one_that_was_read(
    database: Database, written: str, zone: str
) -> None:
    with database.read() as session:
        session.connection().exec_driver_sql(f"SET LOCAL TIME ZONE '{zone}'")
        asked = "SELECT x, x::text FROM (SELECT %(written)s::text::timestamptz AS x) y"
        read, sent = session.connection().exec_driver_sql(asked, {"written": written}).one()
    assert text_of(sent) == as_text(read) == as_text(INSTANTS[written])
