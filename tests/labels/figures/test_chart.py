import pytest

from labels.figures.chart import BOTTOM, LEFT, RIGHT, TOP, Series, draw_columns
from labels.figures.shades import outlined_on, ranges, shade_of, shaded_map


def test_columns_stand_on_one_another_within_the_frame() -> None:
    drawn = draw_columns(
        ["2014", "2015"], [Series("a", "solid", (3, 1)), Series("b", "open", (1, 0))], top=4
    )

    assert drawn
    assert [(bar.look, bar.y, bar.height) for bar in drawn.bars] == [
        ("solid", TOP + (BOTTOM - TOP) / 4, 99),
        ("open", TOP, 33),
        ("solid", BOTTOM - 33, 33),
    ]
    assert [line.number for line in drawn.lines] == [0, 2, 4]
    assert all(bar.x > LEFT and bar.x + bar.width < RIGHT for bar in drawn.bars)


def test_names_have_room_and_the_last_is_there() -> None:
    years = [str(year) for year in range(2000, 2030)]
    drawn = draw_columns(years, [Series("a", "solid", (1,) * 30)], top=1)

    assert drawn
    assert [mark.text for mark in drawn.marks] == ["2004", "2009", "2014", "2019", "2024", "2029"]


@pytest.mark.parametrize("numbers", [(), (3,), (0, 3, 0), (0, 0)])
def test_one_number_is_no_drawing(numbers: tuple[int, ...]) -> None:
    names = [str(place) for place, _number in enumerate(numbers)]

    assert draw_columns(names, [Series("a", "solid", numbers)], top=3) is None


def test_shades_are_the_ranges_of_the_legend() -> None:
    assert ranges() == [(1, 1, 1), (2, 2, 3), (3, 4, 7), (4, 8, 15), (5, 16, None)]
    for shade, first, last in ranges():
        assert {shade_of(first), shade_of(last or 999)} == {shade}
    assert shade_of(0) == 0


def test_country_without_an_outline_is_named_beside_the_map() -> None:
    drawn = shaded_map({"IT": 9, "MX": 1})

    assert (drawn.sheet.name, drawn.outside) == ("europe", ("MX",))
    assert [(country.code, country.shade) for country in drawn.countries] == [("IT", 4)]


def test_map_is_of_the_world_where_nothing_lies_in_europe() -> None:
    drawn = shaded_map({"MX": 1})

    assert (drawn.sheet.name, drawn.outside) == ("world", ())


def test_outlines_are_those_of_the_files() -> None:
    assert {"IT", "NO", "XK"} <= outlined_on("europe")
    assert "MX" in outlined_on("world") - outlined_on("europe")
