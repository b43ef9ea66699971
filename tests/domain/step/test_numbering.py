"""Numbers for steps that are written together follow each other, and what is given back is drawn again."""

from wuye_loop.domain.step.numbering import Numbers


def test_each_series_and_year_counts_on_from_its_last_number_which_is_asked_for_once() -> None:
    asked: list[tuple[str, int]] = []

    def last(series: str, year: int) -> int:
        asked.append((series, year))
        return {"督": 41}.get(series, 0)

    numbers = Numbers(last)
    assert [numbers("督", 2026), numbers("改", 2026), numbers("督", 2026), numbers("改", 2027)] == [42, 1, 43, 1]
    assert asked == [("督", 2026), ("改", 2026), ("改", 2027)]
    assert numbers.drawn() == {("督", 2026): 43, ("改", 2026): 1, ("改", 2027): 1}


def test_what_is_given_back_is_the_next_to_be_drawn_and_a_series_given_back_whole_was_not_drawn_from() -> None:
    numbers = Numbers(lambda _, __: 5)
    assert numbers("督", 2026) == 6
    mark = numbers.mark
    assert [numbers("督", 2026), numbers("改", 2026)] == [7, 6]
    numbers.back_to(mark)
    assert numbers.drawn() == {("督", 2026): 6}
    assert [numbers("督", 2026), numbers("改", 2026)] == [7, 6]


def test_a_series_that_another_is_about_to_draw_from_goes_on_from_there_and_is_not_asked_for() -> None:
    numbers = Numbers(lambda _, __: 5, {("督", 2026): 9, ("改", 2026): 3})
    assert [numbers("督", 2026), numbers("督", 2027)] == [10, 6]
    mark = numbers.mark
    numbers("改", 2026)
    assert numbers.assumed == {("督", 2026): 9, ("改", 2026): 3}
    numbers.back_to(mark)
    assert numbers.assumed == {("督", 2026): 9}
