from wuye_loop.domain.suggesting.likeness import ALIKE, likeness, vector
from wuye_loop.domain.suggesting.model import shipped_model


def alike(one: tuple[str, str], other: tuple[str, str]) -> float:
    return likeness(vector(shipped_model(), *one), vector(shipped_model(), *other))


MIXING = ("云杉里小区旁搅拌站噪音扰民", "云杉里北面的搅拌站日夜开工，灰尘和噪音让我们没法睡觉，请查处。")


def test_the_same_text_is_wholly_alike_and_nothing_is_not_alike_to_anything() -> None:
    assert alike(MIXING, MIXING) > 0.999
    assert alike(MIXING, ("", "")) == 0
    assert alike(MIXING, ("电梯停运", "")) < ALIKE / 2


def test_one_matter_told_by_another_person_is_alike() -> None:
    told = ("搅拌站噪音灰尘扰民", "云杉里小区北面的搅拌站日夜开工，噪音和灰尘太大，让我们没法睡觉。")
    assert alike(MIXING, told) >= ALIKE


def test_the_same_kind_of_matter_in_another_place_is_not() -> None:
    assert alike(MIXING, ("望江苑楼下广场舞噪音扰民", "每天晚上跳舞的音响开得很大，影响孩子做作业。")) < ALIKE
