"""A list as a file for a spreadsheet."""

import io
import threading
from collections.abc import Iterator

import pytest
from openpyxl import load_workbook

from wuye_loop.web.sheets import file_of

pytestmark = pytest.mark.anyio


async def test_a_file_is_drawn_beside_the_loop_that_serves_everybody() -> None:
    drawn_by = []

    def rows() -> Iterator[tuple[str, int | None]]:
        drawn_by.append(threading.get_ident())
        yield from (("漏水", 1), ("停水", None))

    answer = await file_of("xlsx", "list", ("类别", "件数"), rows())
    assert drawn_by != [threading.get_ident()]
    page = load_workbook(io.BytesIO(bytes(answer.body))).worksheets[0]
    assert list(page.values) == [("类别", "件数"), ("漏水", 1), ("停水", None)]
