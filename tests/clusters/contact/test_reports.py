"""Problems that readers report, what the secretariat makes of them, and the public log."""

import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
import time_machine
from django.core.cache import cache
from django.core.exceptions import ValidationError
from django.db import IntegrityError
from django.db.models import Model
from django.test import Client

from clusters.contact.reports import save_report
from clusters.models import Account, Cluster, ProblemReport, RecordKind, ReportState, Role
from tests.admin_forms import errors, form_data
from tests.factories import (
    make_account,
    make_announcement,
    make_announcement_text,
    make_cluster,
    make_label,
    make_organisation,
    make_programme,
    make_report,
)
from tests.mails import sent_mails

pytestmark = pytest.mark.django_db

CountQueries = Callable[..., int]

MOMENT = datetime(2026, 3, 1, 12, tzinfo=UTC)
REPORT = "/en/clusters/biopmed/report/"


@pytest.fixture(autouse=True)
def clock() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(MOMENT, tick=False) as traveller:
        cache.clear()
        yield traveller


def make_records(**fields: Any) -> dict[RecordKind, Model]:
    state = "published" if fields.get("is_published", True) else "draft"
    return {
        RecordKind.CLUSTER: make_cluster(name="bioPmed", slug="biopmed", **fields),
        RecordKind.ORGANISATION: make_organisation(name="Park", slug="park", **fields),
        RecordKind.PROGRAMME: make_programme(name_en="ACE", slug="ace", **fields),
        RecordKind.LABEL: make_label(cluster=make_cluster(name="Holder"), **fields),
        RecordKind.ANNOUNCEMENT: make_announcement(title="Gold", slug="gold", state=state),
    }


def path_of(kind: RecordKind, row: Any) -> str:
    """Its page below the language; also where it is not public."""
    return {
        RecordKind.CLUSTER: "/clusters/biopmed/",
        RecordKind.ORGANISATION: "/organisations/park/",
        RecordKind.PROGRAMME: "/programmes/ace/",
        RecordKind.LABEL: f"/labels/{row.public_id}/",
        RecordKind.ANNOUNCEMENT: "/news/2015/gold/",
    }[kind]


def send(client: Client, clock: time_machine.Traveller, path: str = REPORT, **fields: str) -> Any:
    html = client.get(path).content.decode()
    stamp = re.findall(r'name="stamp" value="([^"]+)"', html)[0]
    clock.shift(5)
    return client.post(path, {"text": "The town is wrong.", "stamp": stamp} | fields)


def text_of(client: Client, path: str) -> str:
    html = client.get(path).content.decode()
    main = html[html.index("<main") : html.index("</main>")]
    return " ".join(re.sub(r"<[^>]+>", " ", main).split())


# Reporting


@pytest.mark.parametrize("kind", list(RecordKind))
@pytest.mark.parametrize("language", ["en", "it"])
def test_problem_of_any_record_is_kept_as_reported(
    client: Client, clock: time_machine.Traveller, kind: RecordKind, language: str
) -> None:
    row: Any = make_records()[kind]
    path = path_of(kind, row)

    response = send(client, clock, f"/{language}{path}report/", reply_address="reader@example.org")

    assert response["Location"] == f"/{language}{path}report/?sent"
    report = ProblemReport.objects.get()
    assert (report.kind, report.record_id, report.path) == (kind, row.public_id, path)
    assert (report.text, report.reply_address) == ("The town is wrong.", "reader@example.org")
    assert (report.language, report.state) == (language, ReportState.NEW)


@pytest.mark.parametrize("kind", list(RecordKind))
def test_page_of_a_record_leads_to_reporting(client: Client, kind: RecordKind) -> None:
    path = path_of(kind, make_records()[kind])

    assert f'href="/it{path}report/"' in client.get(f"/it{path}").content.decode()


@pytest.mark.parametrize("kind", list(RecordKind))
def test_problem_of_what_is_not_public_is_not_found(client: Client, kind: RecordKind) -> None:
    path = f"/en{path_of(kind, make_records(is_published=False)[kind])}report/"

    assert client.get(path).status_code == 404
    assert client.post(path, {"text": "x"}).status_code == 404


def test_report_needs_no_address(client: Client, clock: time_machine.Traveller) -> None:
    make_records()

    assert send(client, clock).status_code == 302
    assert ProblemReport.objects.get().reply_address == ""


def test_report_says_that_it_arrived(client: Client) -> None:
    make_records()

    assert "the report is with the secretariat" in text_of(client, f"{REPORT}?sent")


def test_report_sets_no_cookie(client: Client, clock: time_machine.Traveller) -> None:
    make_records()

    assert [client.get(REPORT).status_code, send(client, clock).status_code] == [200, 302]
    assert not client.cookies


def test_report_tells_the_secretariat(client: Client, clock: time_machine.Traveller) -> None:
    make_records()

    send(client, clock, reply_address="reader@example.org", text="Wrong\nBcc: a@example.org")

    [message] = sent_mails()
    report = ProblemReport.objects.get()
    assert (message.to, message.subject) == (
        ["secretariat@example.org"],
        "Reported problem: bioPmed",
    )
    assert f"http://testserver/admin/clusters/problemreport/{report.pk}/change/" in message.body
    assert "reader@example.org" not in message.body


def test_report_without_words_is_refused(client: Client, clock: time_machine.Traveller) -> None:
    make_records()

    response = send(client, clock, text=" ", reply_address="reader@example.org")

    assert response.status_code == 400
    assert "reader@example.org" in response.content.decode()
    assert not ProblemReport.objects.exists()


def test_report_of_a_machine_seems_sent_and_is_not_kept(
    client: Client, clock: time_machine.Traveller
) -> None:
    make_records()

    assert send(client, clock, homepage="x")["Location"] == f"{REPORT}?sent"
    assert not ProblemReport.objects.exists()


def test_report_sent_twice_from_one_page_is_kept_once(
    client: Client, clock: time_machine.Traveller
) -> None:
    make_records()
    response = client.get(REPORT)
    clock.shift(5)
    sent = {"text": "Wrong.", "stamp": response.context["form"].stamp}

    assert [client.post(REPORT, sent).status_code for _ in range(2)] == [302, 302]
    assert ProblemReport.objects.count() == 1


def test_reports_from_one_network_address_have_a_limit(
    client: Client, clock: time_machine.Traveller
) -> None:
    make_records()

    assert [send(client, clock).status_code for _ in range(4)] == [302] * 3 + [429]


def test_reports_of_one_record_have_a_limit(client: Client, clock: time_machine.Traveller) -> None:
    make_records()
    statuses = []
    for number in range(21):
        client.defaults["REMOTE_ADDR"] = f"192.0.2.{number}"
        statuses.append(send(client, clock).status_code)

    assert statuses == [302] * 20 + [429]


# What the secretariat does


def editor() -> Account:
    return make_account(Role.EDITOR)


def close(report: ProblemReport, state: ReportState = ReportState.CORRECTED) -> ProblemReport:
    report.state, report.answer = state, "The town is Ivrea now."
    return save_report(report, by=editor(), now=MOMENT)


@pytest.mark.parametrize("state", [ReportState.CORRECTED, ReportState.REFUSED])
@pytest.mark.parametrize("language", ["en", "it"])
def test_closing_sends_the_answer_in_the_language_of_the_reader(
    state: ReportState, language: str
) -> None:
    report = make_report(reply_address="reader@example.org", language=language)

    close(report, state)

    message: Any = sent_mails()[0]
    assert (message.to, message.reply_to) == (["reader@example.org"], ["secretariat@example.org"])
    assert "The town is Ivrea now." in message.body
    assert f"http://testserver/{language}/clusters/biopmed/" in message.body
    assert f'<html lang="{language}">' in message.alternatives[0][0]


def test_closing_says_who_and_when() -> None:
    report = close(make_report())

    assert (report.closed_at, report.closed_by) == (MOMENT, Account.objects.get())


def test_closing_without_an_address_sends_nothing() -> None:
    close(make_report())

    assert sent_mails() == []


def test_looking_into_it_sends_nothing() -> None:
    report = make_report(reply_address="reader@example.org", state=ReportState.OPEN)

    save_report(report, by=editor(), now=MOMENT)

    assert sent_mails() == []
    assert report.closed_at is None


def test_closing_needs_an_answer() -> None:
    report = make_report()
    report.state = ReportState.REFUSED

    with pytest.raises(ValidationError, match="Say in the answer"):
        save_report(report, by=editor(), now=MOMENT)


def test_database_refuses_a_report_closed_without_an_answer() -> None:
    with pytest.raises(IntegrityError, match="report_is_closed_with_an_answer"):
        make_report(state=ReportState.REFUSED, closed_at=MOMENT)


def test_closing_a_second_time_changes_nothing_and_sends_no_second_mail() -> None:
    report = make_report(reply_address="reader@example.org")
    stale = ProblemReport.objects.get(pk=report.pk)
    close(report)
    stale.state, stale.answer = ReportState.REFUSED, "Something else."

    save_report(stale, by=make_account(), now=MOMENT)

    stored = ProblemReport.objects.get()
    assert (stored.state, stored.answer) == (ReportState.CORRECTED, "The town is Ivrea now.")
    assert stored.closed_by == report.closed_by
    assert len(sent_mails()) == 1


# The queue in admin


def queue(report: ProblemReport) -> str:
    return f"/admin/clusters/problemreport/{report.pk}/change/"


@pytest.fixture
def editor_client(client: Client) -> Client:
    client.force_login(editor())
    return client


def save(client: Client, report: ProblemReport, **fields: Any) -> Any:
    return client.post(queue(report), form_data(client, queue(report)) | fields)


@pytest.mark.ignore_template_errors
def test_editor_closes_a_report_on_its_screen(editor_client: Client) -> None:
    report = make_report(reply_address="reader@example.org")

    response = save(editor_client, report, state="corrected", answer="Done.")

    assert errors(response) == []
    report.refresh_from_db()
    assert (report.state, report.closed_at) == (ReportState.CORRECTED, MOMENT)
    assert [message.to for message in sent_mails()] == [["reader@example.org"]]
    assert report.history.first().history_user == report.closed_by


@pytest.mark.ignore_template_errors
def test_screen_of_a_report_leads_to_the_record(editor_client: Client) -> None:
    report = make_report(language="it")

    html = editor_client.get(queue(report)).content.decode()

    assert '<a href="/it/clusters/biopmed/">bioPmed</a>' in html


@pytest.mark.ignore_template_errors
@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        ({"state": "corrected"}, "Say in the answer what was done, or why nothing was."),
        (
            {"state": "open", "is_logged": "on", "correction_en": "a", "correction_it": "b"},
            "The public log tells corrections only, in both languages.",
        ),
        (
            {"state": "corrected", "answer": "x", "is_logged": "on", "correction_en": "a"},
            "The public log tells corrections only, in both languages.",
        ),
    ],
)
def test_screen_of_a_report_says_what_is_missing(
    editor_client: Client, fields: dict[str, str], problem: str
) -> None:
    assert errors(save(editor_client, make_report(), **fields)) == [problem]


@pytest.mark.ignore_template_errors
def test_closed_report_takes_only_what_the_public_log_tells(editor_client: Client) -> None:
    report = close(make_report(reply_address="reader@example.org"))

    response = save(
        editor_client,
        report,
        state="refused",
        answer="Other.",
        is_logged="on",
        correction_en="Town",
        correction_it="Città",
    )

    assert errors(response) == []
    report.refresh_from_db()
    assert (report.state, report.answer) == (ReportState.CORRECTED, "The town is Ivrea now.")
    assert (report.is_logged, report.correction_it) == (True, "Città")
    assert len(sent_mails()) == 1


@pytest.mark.ignore_template_errors
def test_closed_report_needs_both_languages_for_the_log(editor_client: Client) -> None:
    report = close(make_report())

    response = save(editor_client, report, is_logged="on", correction_en="Town")

    assert errors(response) == ["The public log tells corrections only, in both languages."]


@pytest.mark.ignore_template_errors
def test_refused_report_is_never_logged(editor_client: Client) -> None:
    report = close(make_report(), ReportState.REFUSED)

    response = save(
        editor_client, report, is_logged="on", correction_en="Town", correction_it="Città"
    )

    assert errors(response) == ["The public log tells corrections only, in both languages."]


@pytest.mark.ignore_template_errors
def test_dashboard_counts_the_reports_that_wait(editor_client: Client) -> None:
    make_report()
    make_report(state=ReportState.OPEN)
    close(make_report())

    items = {item.title: item for item in editor_client.get("/admin/").context["items"]}
    waiting = items["Reported problems waiting"]

    assert waiting.number == 2
    assert editor_client.get(waiting.url).context["cl"].result_count == 2


@pytest.mark.ignore_template_errors
def test_report_is_neither_added_nor_deleted_by_hand(editor_client: Client) -> None:
    report = make_report()
    paths = ("/admin/clusters/problemreport/add/", queue(report).replace("change", "delete"))

    assert [editor_client.get(path).status_code for path in paths] == [403, 403]


# The public log


def log(row: Any, kind: RecordKind = RecordKind.CLUSTER, **fields: Any) -> ProblemReport:
    defaults: dict[str, Any] = {
        "kind": kind,
        "record_id": row.public_id,
        "record_name": "As it was called then",
        "state": ReportState.CORRECTED,
        "answer": "Dear reader.",
        "text": "What the reader wrote.",
        "reply_address": "reader@example.org",
        "closed_at": MOMENT,
        "is_logged": True,
        "correction_en": "The town was wrong.",
        "correction_it": "La città era sbagliata.",
    }
    return make_report(**(defaults | fields))


@pytest.mark.parametrize(
    ("language", "line"),
    [
        ("en", "1 March 2026 bioPmed The town was wrong."),
        ("it", "1 marzo 2026 bioPmed La città era sbagliata."),
    ],
)
def test_log_tells_what_was_corrected_and_when(client: Client, language: str, line: str) -> None:
    log(make_cluster(name="bioPmed", slug="biopmed"))

    assert line in text_of(client, f"/{language}/corrections/")


@pytest.mark.parametrize("kind", list(RecordKind))
def test_log_leads_to_the_record(client: Client, kind: RecordKind) -> None:
    row = make_records()[kind]
    log(row, kind)

    html = client.get("/it/corrections/").content.decode()

    assert f'<h2><a href="/it{path_of(kind, row)}">' in html


@pytest.mark.parametrize("kind", list(RecordKind))
def test_log_does_not_name_what_is_not_public(client: Client, kind: RecordKind) -> None:
    row = make_records(is_published=False)[kind]
    log(row, kind)

    text = text_of(client, "/en/corrections/")

    assert "1 March 2026 A record that is not public now." in text
    assert "As it was called then" not in text
    assert "The town was wrong." not in text


def test_log_tells_nothing_of_the_reader(client: Client) -> None:
    log(make_cluster())

    html = client.get("/en/corrections/").content.decode()

    assert [text in html for text in ("reader@", "What the reader wrote", "Dear reader")] == [
        False,
        False,
        False,
    ]


@pytest.mark.parametrize(
    "fields",
    [
        pytest.param({"is_logged": False}, id="not logged"),
        pytest.param({"is_logged": False, "state": ReportState.REFUSED}, id="refused"),
    ],
)
def test_log_tells_only_corrections_that_are_meant_for_it(
    client: Client, fields: dict[str, Any]
) -> None:
    log(make_cluster(), **fields)

    assert "No corrections yet" in text_of(client, "/en/corrections/")


def test_log_has_pages_the_latest_first(client: Client) -> None:
    cluster = make_cluster()
    for day in range(1, 28):
        for hour in (8, 16):
            log(cluster, closed_at=datetime(2026, 2, day, hour, tzinfo=UTC))

    first, second = (text_of(client, f"/en/corrections/?page={page}") for page in (1, 2))

    assert "27 February 2026" in first
    assert "1 February 2026" in second
    assert client.get("/en/corrections/?page=3").status_code == 404


def test_log_takes_as_many_queries_for_three_of_each_as_for_one(
    client: Client, count_queries: CountQueries
) -> None:
    def add(suffix: str) -> None:
        cluster: Cluster = make_cluster(slug=f"a-{suffix}")
        announcement = make_announcement()
        make_announcement_text(announcement, language="it")
        for kind, row in (
            (RecordKind.CLUSTER, cluster),
            (RecordKind.ORGANISATION, make_organisation()),
            (RecordKind.PROGRAMME, make_programme()),
            (RecordKind.LABEL, make_label(cluster=cluster)),
            (RecordKind.ANNOUNCEMENT, announcement),
        ):
            log(row, kind)

    add("1")
    one = count_queries("/en/corrections/")
    add("2")
    add("3")

    assert count_queries("/en/corrections/") == one


def test_log_is_in_the_sitemap_and_in_the_footer(client: Client) -> None:
    assert "http://testserver/it/corrections/" in client.get("/sitemap.xml").content.decode()
    assert 'href="/it/corrections/"' in client.get("/it/about/").content.decode()
