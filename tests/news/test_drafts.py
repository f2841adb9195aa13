import re
import threading
from datetime import UTC, datetime
from html import escape
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection, connections
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from clusters.models import Cluster, ManagementRole, Organisation
from labels.life import steps as life
from labels.models import Label, LabelKind, Statement
from news.drafts.awards import draft_award
from news.markup import render
from news.models import Announcement, AnnouncementText
from tests.factories import (
    approve,
    make_account,
    make_announcement,
    make_announcement_text,
    make_cluster,
    make_label,
    make_management,
    make_organisation,
    make_participation,
    make_programme,
    make_undated_label,
    portfolio,
    update_label,
)

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 11, 22, 9, tzinfo=timezone.get_default_timezone())


def drafted(label: Label, now: datetime = NOW) -> Announcement:
    announcement = draft_award(label, now)
    assert announcement is not None
    return announcement


def text(label: Label, language: str = "en") -> AnnouncementText:
    return drafted(label).texts.get(language=language)


def section(body: str, title: str) -> str:
    """The Markdown under a heading."""
    return body.partition(f"## {title}\n\n")[2].partition("\n\n## ")[0]


def health(name: str = "Polo Salute", **fields: Any) -> Cluster:
    return make_cluster(name=name, portfolio=portfolio(), **fields)


def statement(**fields: Any) -> Statement:
    defaults = {
        "as_of_on": "2015-07",
        "definition_en": "Gold Labels",
        "definition_it": "Gold Label",
        "count": 50,
        "source": "example.org",
    }
    return Statement.objects.create(**(defaults | fields))


# bioPmed's Gold: domain.md, section 5

BIOPMED_EN = """\
The label was awarded by ESCA (European Secretariat for Cluster Analysis). The assessment took \
place in July 2015. The label is valid until 31 July 2017: the day is computed by the rule of \
1 November 2010, part of which is inferred.

In this register bioPmed takes part in the programme “ACE – Achieving Cluster Excellence”; since \
when is not recorded.

## Earlier labels

This register holds an earlier label of bioPmed:

- Bronze Label, 2013

## In figures

- On 8 September 2015, 9 other clusters in this register held a valid Gold Label. 11 more may have \
held it: their dates are known only to the month or the year.
- 2 of them belonged to the same comparative portfolio in this register (Health and medical \
science).
- 15 more clusters in this register have a Gold Label without known dates; they are not counted.
- On 8 September 2015, bioPmed was the first cluster of its country (Italy) with a Gold Label in \
its portfolio (Health and medical science) in this register.

This register may lack labels that other clusters hold or held. The figures were taken from it on \
22 November 2026, and portfolios as it had them then.

## Published at the time

These counts were published by others. They are quoted with their date and source, and do not \
come from this register:

- “Gold Labels, other than the holder’s own”: 57 (in Europe; 7 of them in health and life \
sciences), 8 September 2015. Source: archivio.biopmed.eu 2269
- “Clusters analysed”: more than 800, 8 September 2015. Source: archivio.biopmed.eu 2269
- “Countries of the experts”: 27, 8 September 2015. Source: archivio.biopmed.eu 2269"""

BIOPMED_IT = """\
La certificazione è stata assegnata da ESCA (European Secretariat for Cluster Analysis). La \
valutazione si è svolta a luglio 2015. La certificazione è valida fino al 31 luglio 2017: il \
giorno è calcolato con la regola del 1º novembre 2010, in parte dedotta.

In questo registro bioPmed partecipa al programma “ACE – Achieving Cluster Excellence”; da quando, \
non è registrato.

## Certificazioni precedenti

Questo registro contiene una certificazione precedente di bioPmed:

- Bronze Label, 2013

## In cifre

- L’8 settembre 2015 in questo registro avevano un Gold Label valido 9 altri cluster. Altri 11 \
cluster possono averlo avuto: le loro date sono note solo al mese o all’anno.
- 2 di essi appartenevano allo stesso portafoglio di confronto in questo registro (Salute e \
scienze mediche).
- Altri 15 cluster in questo registro hanno un Gold Label senza date note: non sono contati.
- L’8 settembre 2015 bioPmed era il primo cluster del suo paese (Italia) con un Gold Label nel suo \
portafoglio (Salute e scienze mediche) in questo registro.

In questo registro possono mancare certificazioni che altri cluster hanno o hanno avuto. Le cifre \
ne sono state tratte il 22 novembre 2026, con i portafogli come risultavano allora.

## Pubblicato in quel periodo

Questi numeri sono stati pubblicati da altri. Sono citati con data e fonte, e non provengono da \
questo registro:

- “Gold Label, oltre a quello di chi ne parla”: 57 (in Europa; 7 dei quali nella salute e nelle \
scienze della vita), 8 settembre 2015. Fonte: archivio.biopmed.eu 2269
- “Cluster analizzati”: oltre 800, 8 settembre 2015. Fonte: archivio.biopmed.eu 2269
- “Paesi di provenienza degli esperti”: 27, 8 settembre 2015. Fonte: archivio.biopmed.eu 2269"""


def test_draft_of_biopmed_says_what_is_true_of_september_2015() -> None:
    call_command("load_demo", verbosity=0)
    Announcement.objects.all().delete()
    gold = Label.objects.get(cluster__name="bioPmed", level="gold")

    announcement = drafted(gold)

    park = "Bioindustry Park Silvano Fumero SpA"
    assert (announcement.state, announcement.published_at) == ("draft", None)
    assert (str(announcement.written_by), str(announcement.contact_organisation)) == (park, park)
    assert [str(cluster) for cluster in announcement.clusters.all()] == ["bioPmed"]
    assert [str(organisation) for organisation in announcement.organisations.all()] == [park]
    assert [label.pk for label in announcement.labels.all()] == [gold.pk]
    assert [programme.slug for programme in announcement.programmes.all()] == ["ace"]
    assert sorted(counted.count for counted in announcement.statements.all()) == [27, 57, 800]
    fields = ("title", "slug", "lead", "body", "box_title", "box", "contact_role")
    assert list(announcement.texts.order_by("language").values(*fields)) == [
        {
            "title": "bioPmed obtains the Gold Label for cluster management excellence",
            "slug": "biopmed-gold-label-2015",
            "lead": "bioPmed (Italy), managed by Bioindustry Park Silvano Fumero SpA, has obtained "
            "the Gold Label for cluster management excellence. This was announced on 8 September "
            "2015.",
            "body": BIOPMED_EN,
            "box_title": "About the Gold Label",
            "box": "The Cluster Management Excellence Label has these levels, from the lowest to "
            "the highest: Bronze, Silver and Gold. The official wording of Gold is “Proven for "
            "Cluster Excellence”.\n\n"
            "Two experts visit the management for two days and rate 31 indicators, each with its "
            "own threshold; the total must reach 80 % of the maximum. A renewal takes one day, "
            "and a Silver need not come first.\n\n"
            "This is how this register described the level on 22 November 2026.",
            "contact_role": "Press and information",
        },
        {
            "title": "bioPmed ottiene il Gold Label per l’eccellenza nella gestione dei cluster",
            "slug": "biopmed-gold-label-2015",
            "lead": "bioPmed (Italia), con Bioindustry Park Silvano Fumero SpA come soggetto "
            "gestore, ha ottenuto il Gold Label per l’eccellenza nella gestione dei cluster. "
            "L’annuncio è stato dato l’8 settembre 2015.",
            "body": BIOPMED_IT,
            "box_title": "Che cos’è il Gold Label",
            "box": "I livelli della Cluster Management Excellence Label, dal più basso al più "
            "alto, sono Bronze, Silver e Gold. La formula ufficiale del livello Gold è “Proven for "
            "Cluster Excellence”.\n\n"
            "Due esperti visitano il soggetto gestore per due giorni e valutano 31 indicatori, "
            "ciascuno con la propria soglia; il totale deve raggiungere l’80 % del massimo. Il "
            "rinnovo richiede un giorno, e non occorre avere prima un Silver.\n\n"
            "Così questo registro descriveva il livello il 22 novembre 2026.",
            "contact_role": "Stampa e informazioni",
        },
    ]


# When a draft is written


def test_approval_leaves_a_draft() -> None:
    label = Label(
        cluster=health(), level_id="gold", assessed_on="2026-11-03", announced_on="2026-11-20"
    )
    decision = life.award(label, reason="The board met.", by=make_account(), now=NOW)
    assert not Announcement.objects.exists()

    approve(decision, by=make_account(), now=NOW)

    assert str(Announcement.objects.filter(labels=label).unpublished().get()) == (
        "Polo Salute obtains the Gold Label for cluster management excellence"
    )


@pytest.mark.django_db(transaction=True)
def test_race_of_two_drafts_leaves_one() -> None:
    label = make_label()
    barrier = threading.Barrier(2)
    found: list[object] = []

    def draft() -> None:
        try:
            barrier.wait()
            found.append(draft_award(label, NOW))
        finally:
            connections.close_all()

    threads = [threading.Thread(target=draft) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert found.count(None) == 1
    assert Announcement.objects.get() in found


def test_draft_is_on_no_public_page(client: Client) -> None:
    label = make_label(announced_on="2015-09-08")
    announcement = drafted(label)

    assert not Announcement.objects.published(NOW).exists()
    assert announcement.texts.get(language="en").title not in str(
        client.get("/en/news/").content, "utf-8"
    )


def test_second_call_writes_no_second_draft() -> None:
    label = make_label()
    drafted(label)

    assert draft_award(label, NOW) is None
    assert Announcement.objects.count() == 1


def test_announced_label_gets_no_draft() -> None:
    label = make_label()
    make_announcement(labels=[label])

    assert draft_award(label, NOW) is None


@pytest.mark.parametrize("hidden", ["label", "cluster"])
def test_hidden_label_gets_no_draft(hidden: str) -> None:
    label = make_label(
        cluster=make_cluster(is_published=hidden != "cluster"), is_published=hidden != "label"
    )

    assert draft_award(label, NOW) is None
    assert not Announcement.objects.exists()


def test_figures_stay_as_they_were_written() -> None:
    label = make_label(cluster=health())
    other = make_label(cluster=health("Polo Vita"), assessed_on="2015-08")
    announcement = drafted(label)
    before = list(announcement.texts.values())

    make_label(assessed_on="2015-02")
    other.cluster.name = "Polo Morte"
    other.cluster.save()
    update_label(other, is_published=False)
    label.cluster.portfolio = None
    label.cluster.save()

    assert list(announcement.texts.values()) == before


def test_two_labels_of_a_cluster_have_two_addresses() -> None:
    first = make_label(announced_on="2015-09-08")
    second = make_label(cluster=first.cluster, level="bronze", assessed_on="2015-09")
    third = make_label(cluster=first.cluster, level="bronze", assessed_on="2015-03")
    slug = first.cluster.slug

    assert [text(label).slug for label in (first, second, third)] == [
        f"{slug}-gold-label-2015",
        f"{slug}-bronze-label-2015",
        f"{slug}-bronze-label-2015-{third.public_id.lower()}",
    ]


def test_address_that_was_another_text_s_once_stays_its() -> None:
    label = make_label()
    taken = f"{label.cluster.slug}-gold-label-2015"
    moved = make_announcement_text(make_announcement(language="it"), language="en", slug=taken)
    moved.slug = "elsewhere"
    moved.save()

    assert text(label).slug == f"{taken}-{label.public_id.lower()}"


# Who


def test_team_of_the_manager_writes_on() -> None:
    label = make_label(managing_organisation=make_organisation(name="Park"))
    make_management(cluster=label.cluster, organisation=label.managing_organisation)

    announcement = drafted(label)

    assert announcement.written_by == label.managing_organisation
    assert "managed by Park, has obtained" in announcement.texts.get(language="en").lead


def test_former_manager_is_named_and_does_not_write() -> None:
    label = make_label(managing_organisation=make_organisation(name="Old Park"))
    make_management(
        cluster=label.cluster, organisation=label.managing_organisation, ended_on="2016"
    )
    new = make_management(cluster=label.cluster, started_on="2016-01", role=ManagementRole.JOINT)

    announcement = drafted(label)

    assert list(announcement.organisations.all()) == [label.managing_organisation]
    assert new.organisation.name not in announcement.texts.get(language="en").lead
    assert announcement.written_by is None


def test_hidden_manager_is_neither_named_nor_tied() -> None:
    hidden = make_organisation(name="Hidden Park", is_published=False)
    label = make_label(managing_organisation=hidden)
    make_management(cluster=label.cluster, organisation=hidden)

    announcement = drafted(label)

    assert (announcement.written_by, announcement.contact_organisation) == (None, None)
    assert not announcement.organisations.exists()
    assert [
        found for found in announcement.texts.all() if "Hidden" in found.lead + found.body
    ] == []


def test_joint_managers_of_the_day_are_all_named_and_no_association() -> None:
    label = make_label(announced_on="2015-09-08")
    for name, role in (
        ("Lead", ManagementRole.LEAD),
        ("Second", ManagementRole.JOINT),
        ("Third", ManagementRole.JOINT),
        ("Members", ManagementRole.ASSOCIATION),
    ):
        make_management(cluster=label.cluster, organisation=make_organisation(name=name), role=role)

    announcement = drafted(label)

    leads = {found.language: found.lead for found in announcement.texts.all()}
    assert "managed by Lead, Second and Third, has" in leads["en"]
    assert "con Lead, Second e Third come soggetti gestori, ha" in leads["it"]
    assert str(announcement.written_by) == "Lead"


def test_cluster_without_a_known_manager_stands_alone() -> None:
    label = make_label(cluster=make_cluster(name="Polo", country="FR"), awarded_on="2015-09")

    assert text(label).lead == (
        "Polo (France) has obtained the Gold Label for cluster management excellence. The label "
        "was awarded in September 2015."
    )


def test_programme_is_told_where_the_cluster_takes_part_that_day() -> None:
    label = make_label(announced_on="2015-09-08", cluster=make_cluster(name="Polo"))
    ace = make_programme(name_en="ACE", name_it="ACE")
    make_participation(programme=ace, cluster=label.cluster, started_on="2013")
    make_participation(cluster=label.cluster, started_on="2016")
    make_participation(cluster=label.cluster, programme=make_programme(is_published=False))

    announcement = drafted(label)

    assert list(announcement.programmes.all()) == [ace]
    bodies = {found.language: found.body.split("\n\n")[1] for found in announcement.texts.all()}
    assert bodies == {
        "en": "In this register Polo takes part in the programme “ACE” since 2013.",
        "it": "In questo registro Polo partecipa al programma “ACE” dal 2013.",
    }


# What and when


def test_renewal_is_told_as_one() -> None:
    first = make_label(cluster=health(), assessed_on="2013-07-03")
    renewal = make_label(
        cluster=first.cluster,
        kind=LabelKind.RENEWAL,
        renews=first,
        assessed_on="2015-06-10",
        announced_on="2015-07-11",
    )

    english, italian = drafted(renewal).texts.order_by("language")

    assert english.title == "Polo Salute renews its Gold Label for cluster management excellence"
    assert italian.title == (
        "Polo Salute rinnova il Gold Label per l’eccellenza nella gestione dei cluster"
    )
    assert english.lead == (
        "Polo Salute (Italy) has renewed its Gold Label for cluster management excellence. This "
        "was announced on 11 July 2015."
    )
    assert italian.lead == (
        "Polo Salute (Italia) ha rinnovato il Gold Label per l’eccellenza nella gestione dei "
        "cluster. L’annuncio è stato dato l’11 luglio 2015."
    )
    assert "- Gold Label, 3 July 2013" in english.body
    assert "first" not in english.body
    assert "primo" not in italian.body


def test_label_again_is_neither_first_nor_renewed() -> None:
    first = make_label(cluster=health(), assessed_on="2010-12")
    again = text(make_label(cluster=first.cluster, assessed_on="2015-07"))

    assert again.title == "Polo Salute obtains another Gold Label for cluster management excellence"
    assert "again obtained" in again.lead
    assert "first" not in again.body


def test_label_without_an_earlier_one_says_no_more() -> None:
    label = make_label(cluster=make_cluster(name="Polo"))
    make_undated_label(cluster=label.cluster, level="bronze")

    assert section(text(label).body, "Earlier labels") == (
        "This register holds no label of Polo that is known to be earlier."
    )


def test_earlier_labels_are_told_with_what_is_known() -> None:
    cluster = make_cluster(name="Polo")
    label = make_label(cluster=cluster, assessed_on="2015-07-14")
    make_label(cluster=cluster, level="bronze", valid_until="2013-03")
    make_label(
        cluster=cluster,
        level="silver",
        assessed_on="2014",
        revoked_on="2015-02-08",
        revocation_reason="Asked for.",
    )
    english, italian = drafted(label).texts.order_by("language")

    assert section(english.body, "Earlier labels") == (
        "This register holds 2 earlier labels of Polo:\n\n"
        "- Bronze Label, valid until March 2013\n"
        "- Silver Label, 2014, revoked on 8 February 2015"
    )
    assert section(italian.body, "Certificazioni precedenti") == (
        "Questo registro contiene 2 certificazioni precedenti di Polo:\n\n"
        "- Bronze Label, valida fino a marzo 2013\n"
        "- Silver Label, 2014, revocata l’8 febbraio 2015"
    )


@pytest.mark.parametrize(
    ("dates", "sentence"),
    [
        pytest.param(
            {"announced_on": "2015-09-08", "assessed_on": "2015-07"},
            "This was announced on 8 September 2015.",
            id="announced",
        ),
        pytest.param(
            {"awarded_on": "2015-08"}, "The label was awarded in August 2015.", id="month"
        ),
        pytest.param({"awarded_on": "2015"}, "The label was awarded in 2015.", id="year"),
        pytest.param(
            {"assessed_on": "2015-07-14"}, "The assessment took place on 14 July 2015.", id="day"
        ),
        pytest.param({"valid_until": "2017-07-31"}, "management excellence.", id="not known"),
    ],
)
def test_lead_says_when_as_precisely_as_it_is_known(dates: dict[str, str], sentence: str) -> None:
    assert text(make_label(**dates)).lead.endswith(sentence)


@pytest.mark.parametrize(
    ("dates", "day"),
    [
        pytest.param({"announced_on": "2015-09-08", "assessed_on": "2015"}, "8 September 2015"),
        pytest.param({"awarded_on": "2015-09", "assessed_on": "2015-07"}, "30 September 2015"),
        pytest.param({"awarded_on": "2015"}, "31 December 2015", id="last of the year"),
        pytest.param({"awarded_on": "2026"}, "22 November 2026", id="not yet over"),
        pytest.param({"valid_until": "2017-07-31"}, "22 November 2026", id="not known"),
    ],
)
def test_figures_are_of_a_day_by_which_the_label_was_there(dates: dict[str, str], day: str) -> None:
    figures = section(text(make_label(**dates)).body, "In figures")

    assert figures.startswith(f"- On {day}, no other cluster in this register held")


def test_day_is_the_one_of_the_portal_s_zone() -> None:
    label = make_undated_label()

    announcement = drafted(label, datetime(2026, 11, 21, 23, 30, tzinfo=UTC))

    assert "On 22 November 2026" in announcement.texts.get(language="en").body


@pytest.mark.parametrize(
    ("dates", "sentence"),
    [
        pytest.param({"valid_until": "2017-07"}, "The label is valid until July 2017.", id="month"),
        pytest.param(
            {"assessed_on": "2015-07-14"},
            "The label is valid until 31 July 2017: the day is computed by the rule of 1 November "
            "2010, part of which is inferred.",
            id="computed",
        ),
        pytest.param({"assessed_on": "2015"}, "", id="year"),
    ],
)
def test_end_is_told_where_it_is_known(dates: dict[str, str], sentence: str) -> None:
    before = text(make_label(**dates)).body.partition("\n\n")[0]

    assert before == (sentence or "## Earlier labels")


def test_confirmed_rule_is_not_doubted() -> None:
    body = text(make_label(level="bronze", assessed_on="2015-07")).body

    assert body.startswith(
        "The label is valid until 31 July 2017: the day is computed by the rule of 1 November 2010."
        "\n\n"
    )


# In figures

NUMBERS = [
    pytest.param(
        0,
        0,
        "- On 8 September 2015, no other cluster in this register held a valid Gold Label.\n",
        "- L’8 settembre 2015 in questo registro nessun altro cluster aveva un Gold Label "
        "valido.\n",
        id="none",
    ),
    pytest.param(
        1,
        0,
        "- On 8 September 2015, 1 other cluster in this register held a valid Gold Label.\n"
        "- It did not belong to the same comparative portfolio in this register (Health and "
        "medical science).\n",
        "- L’8 settembre 2015 in questo registro aveva un Gold Label valido 1 altro cluster.\n"
        "- Non apparteneva allo stesso portafoglio di confronto in questo registro (Salute e "
        "scienze mediche).\n",
        id="one elsewhere",
    ),
    pytest.param(
        0,
        1,
        "- On 8 September 2015, 1 other cluster in this register held a valid Gold Label.\n"
        "- It belonged to the same comparative portfolio in this register (Health and medical "
        "science).\n",
        "- L’8 settembre 2015 in questo registro aveva un Gold Label valido 1 altro cluster.\n"
        "- Apparteneva allo stesso portafoglio di confronto in questo registro (Salute e scienze "
        "mediche).\n",
        id="one alike",
    ),
    pytest.param(
        1,
        1,
        "- On 8 September 2015, 2 other clusters in this register held a valid Gold Label.\n"
        "- 1 of them belonged to the same comparative portfolio in this register (Health and "
        "medical science).\n",
        "- L’8 settembre 2015 in questo registro avevano un Gold Label valido 2 altri cluster.\n"
        "- 1 di essi apparteneva allo stesso portafoglio di confronto in questo registro (Salute e "
        "scienze mediche).\n",
        id="one of two",
    ),
    pytest.param(
        1,
        2,
        "- On 8 September 2015, 3 other clusters in this register held a valid Gold Label.\n"
        "- 2 of them belonged to the same comparative portfolio in this register (Health and "
        "medical science).\n",
        "- L’8 settembre 2015 in questo registro avevano un Gold Label valido 3 altri cluster.\n"
        "- 2 di essi appartenevano allo stesso portafoglio di confronto in questo registro (Salute "
        "e scienze mediche).\n",
        id="some",
    ),
    pytest.param(
        0,
        2,
        "- On 8 September 2015, 2 other clusters in this register held a valid Gold Label.\n"
        "- All of them belonged to the same comparative portfolio in this register (Health and "
        "medical science).\n",
        "- L’8 settembre 2015 in questo registro avevano un Gold Label valido 2 altri cluster.\n"
        "- Tutti appartenevano allo stesso portafoglio di confronto in questo registro (Salute e "
        "scienze mediche).\n",
        id="all",
    ),
]


@pytest.mark.parametrize(("elsewhere", "alike", "english", "italian"), NUMBERS)
def test_numbers_agree_with_their_words(
    elsewhere: int, alike: int, english: str, italian: str
) -> None:
    label = make_label(cluster=health(), announced_on="2015-09-08")
    for number in range(elsewhere):
        cluster = make_cluster(country="FR", portfolio=portfolio("construction"))
        make_label(cluster=cluster, assessed_on=f"2014-0{number + 1}")
    for number in range(alike):
        make_label(cluster=health(country="FR"), assessed_on=f"2014-0{number + 1}")

    texts = {found.language: found.body for found in drafted(label).texts.all()}

    assert section(texts["en"], "In figures").startswith(english + "- On 8")
    assert section(texts["it"], "In cifre").startswith(italian + "- L’8")


def test_what_is_not_known_is_said() -> None:
    label = make_label(cluster=health(), announced_on="2015-09-08")
    make_label(cluster=make_cluster(country="FR"), awarded_on="2014")
    make_label(cluster=make_cluster(country="FR"), awarded_on="2015")
    make_undated_label(cluster=make_cluster(country="FR"))

    texts = {found.language: found.body for found in drafted(label).texts.all()}

    assert section(texts["en"], "In figures").split("\n")[:3] == [
        "- On 8 September 2015, 1 other cluster in this register held a valid Gold Label. 1 more "
        "may have held it: its dates are known only to the month or the year.",
        "- It did not belong to the same comparative portfolio in this register (Health and "
        "medical science). Its portfolio is not known.",
        "- 1 more cluster in this register has a Gold Label without known dates; it is not "
        "counted.",
    ]
    assert section(texts["it"], "In cifre").split("\n")[:3] == [
        "- L’8 settembre 2015 in questo registro aveva un Gold Label valido 1 altro cluster. 1 "
        "altro cluster può averlo avuto: le sue date sono note solo al mese o all’anno.",
        "- Non apparteneva allo stesso portafoglio di confronto in questo registro (Salute e "
        "scienze mediche). Il suo portafoglio non è noto.",
        "- 1 altro cluster in questo registro ha un Gold Label senza date note: non è contato.",
    ]


def test_those_who_may_have_held_it_agree_with_their_words() -> None:
    label = make_label(cluster=health(), announced_on="2015-09-08")
    for _number in range(2):
        make_label(awarded_on="2015")

    texts = {found.language: found.body for found in drafted(label).texts.all()}

    assert section(texts["en"], "In figures").split("\n")[0] == (
        "- On 8 September 2015, no other cluster in this register held a valid Gold Label. 2 "
        "clusters may have held it: their dates are known only to the month or the year."
    )
    assert section(texts["it"], "In cifre").split("\n")[0] == (
        "- L’8 settembre 2015 in questo registro nessun altro cluster aveva un Gold Label valido. "
        "Altri 2 cluster possono averlo avuto: le loro date sono note solo al mese o all’anno."
    )


def test_cluster_without_a_portfolio_is_compared_with_none() -> None:
    label = make_label()
    make_label(assessed_on="2014-01")

    body = text(label).body

    assert "portfolio in this register (" not in body
    assert "first" not in body


def others(*dates: dict[str, str]) -> None:
    for one in dates:
        make_undated_label(cluster=health()) if not one else make_label(cluster=health(), **one)


@pytest.mark.parametrize(
    ("dates", "english", "italian"),
    [
        pytest.param(
            [{"assessed_on": "2015-08"}],
            "On 8 September 2015, Polo Salute was the first cluster of its country (Italy) with a "
            "Gold Label in its portfolio (Health and medical science) in this register.",
            "L’8 settembre 2015 Polo Salute era il primo cluster del suo paese (Italia) con un "
            "Gold Label nel suo portafoglio (Salute e scienze mediche) in questo registro.",
            id="first",
        ),
        pytest.param(
            [{"assessed_on": "2012-03"}],
            "On 8 September 2015, 1 other cluster of the same country (Italy) and portfolio "
            "(Health and medical science) in this register had had a Gold Label before.",
            "L’8 settembre 2015 in questo registro aveva già avuto un Gold Label 1 altro cluster "
            "dello stesso paese (Italia) e dello stesso portafoglio (Salute e scienze mediche).",
            id="second",
        ),
        pytest.param(
            [{"assessed_on": "2012-03"}, {"assessed_on": "2013"}, {}],
            "On 8 September 2015, 2 other clusters of the same country (Italy) and portfolio "
            "(Health and medical science) in this register had had a Gold Label before.",
            "L’8 settembre 2015 in questo registro avevano già avuto un Gold Label altri 2 cluster "
            "dello stesso paese (Italia) e dello stesso portafoglio (Salute e scienze mediche).",
            id="third",
        ),
        pytest.param(
            [{}],
            "Whether Polo Salute is the first cluster of its country (Italy) with a Gold Label in "
            "its portfolio (Health and medical science) cannot be told from this register: for 1 "
            "other cluster the dates or the portfolio do not settle it.",
            "Se Polo Salute sia il primo cluster del suo paese (Italia) con un Gold Label nel suo "
            "portafoglio (Salute e scienze mediche) non si può dire da questo registro: per 1 "
            "altro cluster le date o il portafoglio non lo chiariscono.",
            id="undated",
        ),
        pytest.param(
            [{}, {"awarded_on": "2015"}],
            "Whether Polo Salute is the first cluster of its country (Italy) with a Gold Label in "
            "its portfolio (Health and medical science) cannot be told from this register: for 2 "
            "other clusters the dates or the portfolio do not settle it.",
            "Se Polo Salute sia il primo cluster del suo paese (Italia) con un Gold Label nel suo "
            "portafoglio (Salute e scienze mediche) non si può dire da questo registro: per altri "
            "2 cluster le date o il portafoglio non lo chiariscono.",
            id="undated and of the year",
        ),
    ],
)
def test_first_of_its_country_is_claimed_only_where_it_is_certain(
    dates: list[dict[str, str]], english: str, italian: str
) -> None:
    label = make_label(cluster=health(), announced_on="2015-09-08")
    others(*dates)

    texts = {found.language: found.body for found in drafted(label).texts.all()}

    assert last_point(texts["en"]) == english
    assert last_point(texts["it"]) == italian


def last_point(body: str) -> str:
    figures = body.partition("\n\n## In ")[2].partition("\n\n")[2].partition("\n\n")[0]
    return figures.rpartition("\n- ")[2]


# Published counts


def test_statements_of_the_half_year_around_are_quoted() -> None:
    near = [
        statement(as_of_on="2015-03-08", definition_en="A"),
        statement(as_of_on="2016-03-08", definition_en="B", count=1000, is_more_than=True),
        statement(as_of_on="2016", definition_en="C", source="x.example.org"),
    ]
    statement(as_of_on="2015-03-07", definition_en="D")
    statement(as_of_on="2016-03-09", definition_en="E")
    statement(as_of_on="2015-02", definition_en="F")

    announcement = drafted(make_label(announced_on="2015-09-08"))

    assert set(announcement.statements.all()) == set(near)
    body = announcement.texts.get(language="en").body
    assert section(body, "Published at the time").split("\n")[2:] == [
        "- “C”: 50, 2016. Source: x.example.org",
        "- “B”: more than 1000, 8 March 2016. Source: example.org",
        "- “A”: 50, 8 March 2015. Source: example.org",
    ]


def test_of_one_count_the_nearest_is_quoted() -> None:
    statement(as_of_on="2015-05")
    nearest = statement(as_of_on="2015-10")
    statement(as_of_on="2015-12")

    announcement = drafted(make_label(announced_on="2015-09-08"))

    assert list(announcement.statements.all()) == [nearest]


def test_count_of_another_level_is_not_quoted() -> None:
    statement(definition_en="Silver Labels")
    both = statement(definition_en="Gold and Silver Labels")
    neither = statement(definition_en="Clusters analysed")
    golden = statement(definition_en="Silvery clusters")

    assert set(drafted(make_label()).statements.all()) == {both, neither, golden}


def test_without_statements_nothing_is_quoted() -> None:
    texts = drafted(make_label()).texts.all()

    assert [
        found for found in texts if "Published" in found.body or "Pubblicato" in found.body
    ] == []


# Names


@pytest.mark.parametrize(
    "name", ["*x* [a](https://example.org/)", "<b>x</b> &amp; `y`", "# x", "-----", "{{ cluster }}"]
)
def test_name_is_a_name_and_no_markup(name: str) -> None:
    label = make_label(cluster=health(), managing_organisation=make_organisation(name="Park"))
    statement(definition_en="Count", definition_it="Numero", detail_en="In Europe")
    plain = drafted(label)
    tags = [tags_of(found) for found in plain.texts.order_by("language")]
    plain.delete()
    Cluster.objects.update(name=name)
    Organisation.objects.update(name=name)
    Statement.objects.update(definition_en=name, definition_it=name, detail_en=name, source=name)

    texts = drafted(label).texts.order_by("language")

    assert [tags_of(found) for found in texts] == tags
    for found in texts:
        assert found.title.startswith(f"{name} ")
        assert found.lead.startswith(f"{name} (Ital")
        assert escape(name, quote=False) in render(found.body).replace("&quot;", '"')


def tags_of(found: AnnouncementText) -> list[str]:
    return re.findall("<[^>]*>", render(found.body))


def test_long_name_fits_into_the_title() -> None:
    found = text(make_label(cluster=make_cluster(name="x" * 200)))

    assert found.title == (f"{'x' * 119}… obtains the Gold Label for cluster management excellence")


# Queries


def test_draft_takes_the_same_queries_however_many_labels() -> None:
    def queries(label: Label) -> int:
        with CaptureQueriesContext(connection) as found:
            drafted(label)
        return len(found)

    few = queries(make_label(cluster=health()))
    for number in range(3):
        make_label(cluster=health(), assessed_on=f"2014-0{number + 1}")
        make_undated_label(cluster=health())
        statement(definition_en=f"Count {number}", definition_it="", as_of_on="2001")
    many = queries(make_label(cluster=health()))

    assert few == many
