import pytest

from wuye_loop.domain.language.workflow import OfficeHours
from wuye_loop.domain.wording.time import office_day_seconds, spoken


def test_an_office_day_is_the_sum_of_its_shifts() -> None:
    assert office_day_seconds(OfficeHours()) == 7.5 * 3600
    assert office_day_seconds(OfficeHours(hours=("20:00-00:00",))) == 4 * 3600
    assert office_day_seconds(OfficeHours(hours=())) == 24 * 3600


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (-5, "不到 1 分钟"),
        (59, "不到 1 分钟"),
        (60, "1 分钟"),
        (3600, "1 小时"),
        (3660, "1 小时 1 分钟"),
        (27_000, "1 个工作日"),
        (27_060, "1 个工作日 1 分钟"),
        (3 * 27_000 + 2 * 3600 + 60, "3 个工作日 2 小时"),
    ],
)
def test_lateness_is_said_in_its_two_largest_parts(seconds: int, said: str) -> None:
    assert spoken(seconds, 27_000) == said
