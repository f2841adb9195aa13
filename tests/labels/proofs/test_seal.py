import re
from datetime import date
from typing import Any
from xml.etree import ElementTree

import pytest
import time_machine
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st

from clusters.models import Cluster
from labels.models import Label
from labels.proofs.seal import (
    DARK,
    LIGHT,
    LINE,
    METALS,
    NAME_SIZE,
    fitting_size,
    name_lines_of,
    visible,
    width_of,
)
from tests.factories import (
    hide,
    make_cluster,
    make_label,
    make_suspension,
    make_undated_label,
    transfer_label,
    update_label,
)

SVG = "{http://www.w3.org/2000/svg}"
PERHAPS = "may be valid: cannot be told"


@pytest.fixture(autouse=True)
def _today() -> Any:
    with time_machine.travel("2015-09-08T12:00Z", tick=False):
        yield


def biopmed(**fields: Any) -> Label:
    return make_label(cluster=make_cluster(name="bioPmed", slug="biopmed"), **fields)


def of_label(label: Label) -> str:
    return f"/labels/{label.public_id}/seal.svg"


def of_cluster(cluster: Cluster) -> str:
    return f"/clusters/{cluster.public_id}/seal.svg"


def draw(client: Client, path: str, **query: str) -> str:
    response = client.get(path, query)
    assert response.status_code == 200
    assert response["Content-Type"] == "image/svg+xml; charset=utf-8"
    return response.content.decode()


def texts(picture: str) -> list[str]:
    """What stands in the picture, from top to bottom."""
    root = ElementTree.fromstring(picture)  # noqa: S314  # our own answer
    return ["".join(text.itertext()).strip() for text in root.iter(f"{SVG}text")]


def is_grey(picture: str) -> bool:
    return not any(metal.face in picture for metal in METALS.values())


def title(picture: str) -> str:
    return str(ElementTree.fromstring(picture).findtext(f"{SVG}title"))  # noqa: S314


# What it says


@pytest.mark.django_db
@pytest.mark.parametrize("level", ["gold", "silver", "bronze"])
def test_seal_of_a_valid_label_has_its_metal_letter_words_and_end(
    client: Client, level: str
) -> None:
    picture = draw(client, of_label(biopmed(level=level)))

    assert METALS[level].face in picture
    assert texts(picture) == [
        level[0].upper(), f"{level.capitalize()} label", "Cluster Management Excellence",
        "bioPmed", "valid until about July 2017",
    ]  # fmt: skip
    assert title(picture) == f"{level.capitalize()} label: bioPmed, valid until about July 2017"


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("today", "words", "grey"),
    [
        pytest.param("2015-06-30T12:00Z", "valid from July 2015", True, id="before"),
        pytest.param("2015-06-30T22:00Z", PERHAPS, True, id="its month, at midnight in Rome"),
        pytest.param("2015-07-30T21:59Z", PERHAPS, True, id="last minute that cannot tell"),
        pytest.param("2015-07-30T22:00Z", "valid until about July 2017", False, id="for certain"),
        pytest.param("2017-07-31T21:59Z", "valid until about July 2017", False, id="last minute"),
        pytest.param("2017-07-31T22:00Z", "expired: about July 2017", True, id="over"),
        pytest.param("2018-08-01T12:00Z", "expired: about July 2017", True, id="long over"),
    ],
)
def test_seal_turns_grey_by_itself(client: Client, today: str, words: str, grey: bool) -> None:
    label = biopmed()
    with time_machine.travel(today, tick=False):
        picture = draw(client, of_label(label))

    assert (texts(picture)[-1], is_grey(picture)) == (words, grey)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("fields", "words"),
    [
        pytest.param({"valid_until": "2017-06-30"}, "valid until 30 June 2017", id="printed day"),
        pytest.param({"valid_until": "2017-06"}, "valid until June 2017", id="printed month"),
        pytest.param({"assessed_on": "2015-07-14"}, "valid until about July 2017", id="computed"),
        pytest.param({"assessed_on": "2014"}, "valid until about 2016", id="computed of a year"),
        pytest.param({"assessed_on": "2015"}, "may be valid: cannot be told", id="this year"),
        pytest.param({"valid_until": "2015-09-07"}, "expired: 7 September 2015", id="ended"),
        pytest.param({"valid_until": "2015-08"}, "expired: August 2015", id="ended some day"),
    ],
)
def test_seal_is_no_more_precise_than_its_source(
    client: Client, fields: dict[str, str], words: str
) -> None:
    assert texts(draw(client, of_label(biopmed(**fields))))[-1] == words


@pytest.mark.django_db
def test_seal_of_a_transferred_label_is_grey_with_its_day(client: Client) -> None:
    label = biopmed()
    transfer_label(label, on=date(2015, 9, 8))

    picture = draw(client, of_label(label))

    assert (texts(picture)[-1], is_grey(picture)) == ("transferred on 8 September 2015", True)


@pytest.mark.django_db
def test_seal_of_a_cluster_without_its_transferred_label_has_none(client: Client) -> None:
    label = biopmed()
    successor = transfer_label(label, on=date(2015, 9, 8))

    assert texts(draw(client, of_cluster(label.cluster)))[-1] == "no label valid today"
    assert not is_grey(draw(client, of_cluster(successor.cluster)))


@pytest.mark.django_db
def test_seal_of_a_corrected_label_shows_what_it_is_now(client: Client) -> None:
    label = biopmed()
    before = draw(client, of_label(label))
    update_label(label, level="bronze")

    now = draw(client, of_label(label))

    assert ("Gold" in before, "Gold" in now) == (True, False)
    assert "Bronze" in now


@pytest.mark.django_db
def test_seal_of_a_suspended_label_is_grey_with_its_day(client: Client) -> None:
    label = biopmed()
    make_suspension(label, starts_on=date(2015, 8, 1), reason="Under review.")

    picture = draw(client, of_label(label))

    assert (texts(picture)[-1], is_grey(picture)) == ("suspended since 1 August 2015", True)


@pytest.mark.django_db
def test_seal_of_a_revoked_label_is_grey_with_its_day_but_not_the_reason(client: Client) -> None:
    label = biopmed(revoked_on=date(2015, 9, 8), revocation_reason="A reason of its own.")

    picture = draw(client, of_label(label))

    assert (texts(picture)[-1], is_grey(picture)) == ("revoked on 8 September 2015", True)
    assert "reason" not in picture


@pytest.mark.django_db
def test_seal_of_an_undated_label_is_grey(client: Client) -> None:
    picture = draw(client, of_label(make_undated_label()))

    assert (texts(picture)[-1], is_grey(picture)) == ("dates not known", True)


@pytest.mark.django_db
def test_seal_is_of_today_whatever_day_is_asked_for(client: Client) -> None:
    label = biopmed(assessed_on="2011")

    picture = draw(client, of_label(label), on="2012-01-01")

    assert is_grey(picture)


@pytest.mark.django_db
def test_seal_of_a_cluster_shows_the_highest_valid_label(client: Client) -> None:
    label = biopmed(level="silver")
    make_label(cluster=label.cluster, level="bronze")
    make_label(cluster=label.cluster, level="gold", assessed_on="2011")

    assert draw(client, of_cluster(label.cluster)) == draw(client, of_label(label))


@pytest.mark.django_db
def test_seal_of_a_cluster_without_a_valid_label_says_so(client: Client) -> None:
    label = biopmed(assessed_on="2011")

    picture = draw(client, of_cluster(label.cluster))

    assert is_grey(picture)
    assert texts(picture) == [
        "–", "No label", "Cluster Management Excellence", "bioPmed", "no label valid today",
    ]  # fmt: skip


# Languages and colours


@pytest.mark.django_db
def test_seal_speaks_italian_when_asked(client: Client) -> None:
    path = of_label(biopmed())

    english, italian = draw(client, path), draw(client, path, lang="it")

    assert 'lang="en"' in english
    assert 'lang="it"' in italian
    assert "luglio 2017" in italian
    # A number of the picture is written the same everywhere.
    assert re.search(r'="[0-9]+,[0-9]*"', italian) is None


@pytest.mark.django_db
def test_seal_does_not_ask_what_the_browser_speaks(client: Client) -> None:
    path = of_label(biopmed())

    italian = client.get(path, headers={"accept-language": "it"})

    assert italian.content.decode() == draw(client, path)
    assert "Accept-Language" not in italian.get("Vary", "")


@pytest.mark.django_db
def test_seal_follows_the_scheme_of_the_page_unless_told_otherwise(client: Client) -> None:
    path = of_label(biopmed())

    auto, light, dark = (draw(client, path, scheme=name) for name in ("auto", "light", "dark"))

    assert draw(client, path) == auto
    assert f'fill="{LIGHT.card}"' in auto
    assert f".card-fill {{ fill: {DARK.card} }}" in auto
    assert "<style" not in light + dark
    assert f'fill="{LIGHT.card}"' in light
    assert f'fill="{DARK.card}"' in dark


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("query", "problem"),
    [
        ({"lang": "xx"}, "lang: “xx” is not one of en, it"),
        ({"scheme": "pink"}, "scheme: “pink” is not one of auto, light, dark"),
    ],
)
def test_seal_names_a_wrong_value(client: Client, query: dict[str, str], problem: str) -> None:
    response = client.get(of_label(biopmed()), query)

    assert response.status_code == 400
    assert response.content.decode().strip() == problem


def luminance(colour: str) -> float:
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(first: str, second: str) -> float:
    high, low = sorted((luminance(first), luminance(second)), reverse=True)
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("colours", [LIGHT, DARK], ids=["light", "dark"])
@pytest.mark.parametrize("text", ["ink", "soft", "valid", "grey"])
def test_words_stand_out_from_the_card(colours: Any, text: str) -> None:
    assert contrast(getattr(colours, text), colours.card) >= 4.5


@pytest.mark.parametrize("metal", METALS.values(), ids=METALS)
def test_letter_stands_out_from_the_coin(metal: Any) -> None:
    assert min(contrast(metal.dark, metal.face), contrast(metal.dark, metal.shine)) >= 4.5


# Names


@pytest.mark.django_db
def test_seal_escapes_the_name(client: Client) -> None:
    label = make_label(cluster=make_cluster(name='</text><script>alert("1")</script>&'))

    picture = draw(client, of_label(label))

    assert "<script" not in picture
    assert title(picture).startswith('Gold label: </text><script>alert("1")</script>&, ')


@given(st.text(st.characters(codec="utf-8", exclude_categories=["Cs"]), min_size=1))
def test_any_name_is_xml_that_can_be_read(name: str) -> None:
    text = visible(name).replace("&", "").replace("<", "").replace(">", "")

    ElementTree.fromstring(f"<a>{text}</a>")  # noqa: S314


@pytest.mark.parametrize("mark", ["\u202e", "\u2066", "\u202a", "\x07", "\ufffe"])
def test_name_loses_what_turns_or_breaks_the_picture(mark: str) -> None:
    assert visible(f"bio{mark}Pmed") == "bioPmed"


@pytest.mark.parametrize(
    ("name", "lines"),
    [
        pytest.param("bioPmed", ["bioPmed"], id="short"),
        pytest.param(
            "Cluster for Sustainable Mobility",
            ["Cluster for Sustainable", "Mobility"],
            id="two lines",
        ),
        pytest.param(
            "Polo de Innovación de la Industria Agroalimentaria de la Región",
            ["Polo de Innovación de la", "Industria Agroalimentaria…"],
            id="too long",
        ),
        pytest.param("X" * 60, ["X" * 19, "X" * 18 + "…"], id="one long word"),
        pytest.param("", [], id="nothing"),
    ],
)
def test_long_name_is_shortened_between_words(name: str, lines: list[str]) -> None:
    assert name_lines_of(name) == lines


@given(st.text(st.characters(categories=["L", "N", "Zs", "P"]), max_size=200))
def test_line_fits(name: str) -> None:
    lines = name_lines_of(visible(name))

    assert len(lines) <= 2
    assert all(width_of(line, NAME_SIZE) <= LINE for line in lines)


@pytest.mark.parametrize(
    ("text", "size"),
    [("Gold label", 24.0), ("Nessuna certificazione valida", 14.2), ("W" * 100, 2.2)],
)
def test_long_words_are_written_smaller(text: str, size: float) -> None:
    assert fitting_size(text, 24.0) == size


# How it is answered


@pytest.mark.django_db
@pytest.mark.parametrize("path", [of_label, lambda label: of_cluster(label.cluster)])
def test_seal_is_open_short_lived_and_sets_no_cookie(client: Client, path: Any) -> None:
    response = client.get(path(biopmed()))

    assert response["Access-Control-Allow-Origin"] == "*"
    assert response["Cross-Origin-Resource-Policy"] == "cross-origin"
    assert response["Cache-Control"] == "public, max-age=900"
    assert not response.cookies
    assert "script" not in response["Content-Security-Policy"]


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("now", "seconds"),
    [
        pytest.param("2017-07-31T21:44:59Z", 900, id="a second before the last quarter"),
        pytest.param("2017-07-31T21:55:00Z", 300, id="five to midnight in Rome"),
        pytest.param("2017-07-31T21:59:59.5Z", 0, id="last second"),
        pytest.param("2017-07-31T22:00:00Z", 900, id="midnight"),
        pytest.param("2017-12-31T22:55:00Z", 300, id="winter"),
        pytest.param("2017-10-29T00:30:00Z", 900, id="the hour that comes twice"),
    ],
)
def test_seal_does_not_outlive_the_day_in_rome(client: Client, now: str, seconds: int) -> None:
    label = biopmed()
    with time_machine.travel(now, tick=False):
        response = client.get(of_label(label))

    assert response["Cache-Control"] == f"public, max-age={seconds}"


@pytest.mark.django_db
def test_seal_is_not_sent_twice_and_stays_open(client: Client) -> None:
    path = of_label(biopmed())
    first = client.get(path)

    again = client.get(path, headers={"if-none-match": first["ETag"]})

    assert (again.status_code, again.content) == (304, b"")
    for name in (
        "Access-Control-Allow-Origin", "Cache-Control", "Content-Security-Policy",
        "Cross-Origin-Resource-Policy", "ETag",
    ):  # fmt: skip
        assert again[name] == first[name]


@pytest.mark.django_db
def test_compressed_seal_is_not_sent_twice(client: Client) -> None:
    path = of_label(biopmed())
    first = client.get(path, headers={"accept-encoding": "gzip"})

    again = client.get(path, headers={"accept-encoding": "gzip", "if-none-match": first["ETag"]})

    assert first["Content-Encoding"] == "gzip"
    assert again.status_code == 304


@pytest.mark.django_db
@pytest.mark.parametrize("hidden", ["label", "cluster"])
def test_seal_of_what_is_unpublished_is_not_found(client: Client, hidden: str) -> None:
    label = biopmed()
    hide(label if hidden == "label" else label.cluster)

    response = client.get(of_label(label))

    assert response.status_code == 404
    assert response.content == b"there is no label with this number\n"
    if hidden == "cluster":
        assert client.get(of_cluster(label.cluster)).status_code == 404


@pytest.mark.django_db
def test_seal_of_a_cluster_does_not_show_an_unpublished_label(client: Client) -> None:
    label = biopmed(is_published=False)

    assert is_grey(draw(client, of_cluster(label.cluster)))


@pytest.mark.django_db
def test_other_addresses_of_a_seal_lead_on(client: Client) -> None:
    label = biopmed()
    cluster = label.cluster
    cluster.slug = "bio-p-med"
    cluster.save()

    for text in (cluster.public_id.lower(), "bio-p-med", "biopmed"):
        response = client.get(f"/clusters/{text}/seal.svg?lang=it")
        assert (response.status_code, response["Location"]) == (
            301,
            f"{of_cluster(cluster)}?lang=it",
        )
        assert response["Cross-Origin-Resource-Policy"] == "cross-origin"
    assert client.get(f"/labels/{label.public_id.lower()}/seal.svg")["Location"] == of_label(label)


@pytest.mark.django_db
def test_seal_takes_few_queries(client: Client, django_assert_max_num_queries: Any) -> None:
    label = biopmed()
    make_label(cluster=label.cluster, level="silver")

    with django_assert_max_num_queries(2):
        client.get(of_label(label))
    with django_assert_max_num_queries(3):
        client.get(of_cluster(label.cluster))


# On the label's page


@pytest.mark.django_db
def test_label_page_gives_the_code_in_both_languages(client: Client) -> None:
    label = make_label(cluster=make_cluster(name='A "quoted" & <b>name</b>'))

    response = client.get(label.get_absolute_url())

    codes = response.context["seal_codes"]
    root = f"http://testserver/{{}}/labels/{label.public_id}/"
    source = f"http://testserver/labels/{label.public_id}/seal.svg"
    name = "A &quot;quoted&quot; &amp; &lt;b&gt;name&lt;/b&gt;"
    assert codes["en"] == (
        f'<a href="{root.format("en")}"><img src="{source}" '
        f'alt="{name}: Gold label, its state in the Cluster Register" width="360" height="128"></a>'
    )
    assert codes["it"].startswith(
        f'<a href="{root.format("it")}"><img src="{source}?lang=it" alt="'
    )
    # In the page it is text: what one copies is the code, not its effect.
    fields = re.findall(r"<textarea[^>]*>(.*?)</textarea>", response.content.decode(), re.DOTALL)
    assert len(fields) == 4
    assert not any("<" in field for field in fields)


@pytest.mark.django_db
def test_label_page_names_the_state_of_another_day_beside_a_seal_of_today(client: Client) -> None:
    label = biopmed(assessed_on="2011")

    text = client.get(f"{label.get_absolute_url()}?on=2012-01-01").content.decode()

    assert f'src="{of_label(label)}"' in text
