"""Who is told what and when, once; what the mail says."""

from datetime import datetime, timedelta
from email import message_from_bytes
from threading import Barrier, Thread
from typing import Any

import pytest
import time_machine
from django.core.management import CommandError
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from clusters.mail.outbox import message_of
from clusters.models import Mail, MailState
from labels.models import Decision, DecisionKind, DecisionState
from news.models import Announcement, AnnouncementText, Rhythm, Subscription
from news.subscriptions import digests
from news.subscriptions.digests import open_windows, window_end, write_digests
from tests.factories import (
    DECIDED_AT,
    award_label,
    hide,
    make_announcement_text,
    make_cluster,
    make_correction,
    make_label,
    make_subscription,
    make_topic,
)
from tests.mails import sent_mails
from tests.news.subscriptions.times import at, publish_at, run, subjects

pytestmark = pytest.mark.django_db

TUESDAY = at("09-08", "14:38")
LATER = at("09-08", "15:00")
MONDAY = at("09-14", "07:00")
FIRST = at("10-01", "07:00")


# Windows


@pytest.mark.parametrize(
    ("rhythm", "now", "end"),
    [
        pytest.param("at_once", at("09-08", "15:00"), at("09-08", "14:55"), id="settled"),
        pytest.param("weekly", at("09-14", "00:04"), at("09-07", "00:00"), id="Monday, too early"),
        pytest.param("weekly", at("09-14", "00:05"), at("09-14", "00:00"), id="Monday"),
        pytest.param("weekly", at("09-20", "23:59"), at("09-14", "00:00"), id="Sunday"),
        pytest.param("monthly", at("10-01", "00:05"), at("10-01", "00:00"), id="the first"),
        pytest.param("monthly", at("10-31", "23:59"), at("10-01", "00:00"), id="the last"),
        pytest.param("weekly", at("10-26", "06:00"), at("10-26", "00:00"), id="clock changed"),
    ],
)
def test_window_ends_on_a_fixed_day(rhythm: str, now: datetime, end: datetime) -> None:
    assert window_end(rhythm, now) == end


@pytest.mark.parametrize(
    ("rhythm", "moments", "told_at"),
    [
        pytest.param("at_once", [LATER, MONDAY, FIRST], LATER, id="at once"),
        pytest.param("weekly", [LATER, at("09-13"), MONDAY, FIRST], MONDAY, id="weekly"),
        pytest.param("monthly", [LATER, MONDAY, at("09-30"), FIRST], FIRST, id="monthly"),
    ],
)
def test_each_rhythm_is_told_once_at_its_time(
    rhythm: str, moments: list[datetime], told_at: datetime
) -> None:
    make_subscription(rhythm=rhythm)
    publish_at(TUESDAY)

    told = []
    for moment in moments:
        before = Mail.objects.count()
        run(moment)
        told += [moment] * (Mail.objects.count() - before)

    assert told == [told_at]


@settings(max_examples=6, phases=[Phase.explicit, Phase.generate])
@given(
    published=st.lists(st.integers(0, 29 * 24), min_size=1, max_size=5),
    runs=st.lists(st.integers(0, 29 * 24), min_size=1, max_size=8),
    rhythm=st.sampled_from(Rhythm.values),
)
def test_runs_at_any_moments_tell_everything_once(
    published: list[int], runs: list[int], rhythm: str
) -> None:
    """Hours of September; a last run closes every window."""
    for model in (Mail, Subscription, Announcement):
        model.objects.all().delete()
    make_subscription(rhythm=rhythm)
    start = at("09-01", "14:30")
    for number, hour in enumerate(sorted(published)):
        publish_at(start + timedelta(hours=hour), title=f"Title {number}")

    for hour in sorted(runs):
        run(start + timedelta(hours=hour))
    run(at("10-05"))

    text = "".join("\n" + text for text in Mail.objects.values_list("text", flat=True))
    told = [text.count(f"\nTitle {number}\n") for number in range(len(published))]
    assert told == [1] * len(published)


def test_changed_rhythm_tells_nothing_twice_and_loses_nothing() -> None:
    row = make_subscription(rhythm="at_once")
    publish_at(TUESDAY, title="First")
    run(LATER)
    publish_at(at("09-09"), title="Second")
    Subscription.objects.filter(pk=row.pk).update(rhythm="weekly")
    run(MONDAY)

    assert [("First" in mail.body, "Second" in mail.body) for mail in sent_mails()] == [
        (True, False),
        (False, True),
    ]


def test_what_was_missed_for_long_is_not_told() -> None:
    make_subscription(rhythm="at_once")
    publish_at(TUESDAY, title="Old")
    publish_at(at("12-01"), title="New")

    run(at("12-02"))

    assert subjects() == ["New"]


# What appeared


def test_what_is_dated_back_is_told_when_it_appears() -> None:
    make_subscription(rhythm="at_once")
    publish_at(at("09-02"), title="Before")
    run(LATER)
    publish_at(at("09-09"), published_at=at("09-08"), title="Dated back")
    run(at("09-09", "13:00"))

    assert subjects() == ["Before", "Dated back"]


def test_what_an_archive_brings_is_no_news() -> None:
    make_subscription(rhythm="at_once")
    publish_at(TUESDAY, published_at=at("08-01"))

    run(LATER)

    assert subjects() == []


def test_scheduled_is_told_when_it_appears_and_not_before() -> None:
    make_subscription(rhythm="at_once")
    publish_at(at("09-02"), published_at=TUESDAY, title="Scheduled")

    run(TUESDAY - timedelta(minutes=1))
    before = subjects()
    run(LATER)

    assert (before, subjects()) == ([], ["Scheduled"])


@pytest.mark.parametrize("state", ["draft", "in_review", "approved"])
def test_what_is_not_published_is_not_told(state: str) -> None:
    make_subscription(rhythm="at_once")
    publish_at(TUESDAY, state=state)
    AnnouncementText.objects.filter(
        announcement=publish_at(TUESDAY, title="No text is ready")
    ).update(state="draft")

    run(LATER)

    assert subjects() == []


def withdraw(announcement: Announcement, moment: datetime) -> None:
    Announcement.objects.filter(pk=announcement.pk).update(
        state="withdrawn", withdrawn_at=moment, withdrawal_reason="The count was wrong."
    )


def test_withdrawn_before_the_digest_is_not_in_it() -> None:
    make_subscription()
    withdraw(publish_at(TUESDAY, title="Secret"), LATER)

    run(MONDAY)

    assert subjects() == []


def test_who_was_told_is_told_of_withdrawal_and_correction() -> None:
    make_subscription(address="a@example.org")
    late = at("09-15")
    make_subscription(address="late@example.org", confirmed_at=late, told_at=late)
    withdrawn = publish_at(TUESDAY, title="Alpha wins")
    corrected = publish_at(TUESDAY, title="Beta moves")
    run(MONDAY)
    withdraw(withdrawn, at("09-16"))
    make_correction(corrected, corrected_at=at("09-16"))
    run(at("09-21"))

    first, second = [message for message in sent_mails() if message.to == ["a@example.org"]]
    assert "Alpha wins" in first.body
    assert "Alpha wins" not in second.body
    assert "Withdrawn: the announcement of 8 September 2015" in second.body
    assert "The count was wrong." in second.body
    assert "Corrected: Beta moves" in second.body
    assert "The town is Torino." in second.body
    assert subjects("late@example.org") == []


def test_corrected_before_the_digest_is_told_once() -> None:
    make_subscription()
    make_correction(publish_at(TUESDAY, title="Beta moves"), corrected_at=LATER)

    run(MONDAY)

    [message] = sent_mails()
    assert message.body.count("Beta moves") == 1


# What labels became


def test_label_decided_here_is_told_on_the_day_of_the_decision() -> None:
    """Its days began long before."""
    cluster = make_cluster(name="bioPmed", country="IT")
    before = timezone.make_aware(datetime(2026, 11, 20))
    make_subscription(rhythm="at_once", kinds=["labels"], confirmed_at=before, told_at=before)
    make_subscription(rhythm="at_once", kinds=["news"], confirmed_at=before, told_at=before)
    award_label(cluster=cluster)
    make_label(cluster=cluster, level="silver", assessed_on="2026-10")  # taken in from a file

    run(timezone.make_aware(datetime(2026, 11, 22, 11)))
    early = subjects()
    run(timezone.make_aware(datetime(2026, 11, 22, 13)))

    assert (early, subjects()) == ([], ["bioPmed: Gold label awarded"])


def test_label_that_expires_is_told_and_one_of_a_hidden_cluster_is_not() -> None:
    make_subscription(rhythm="at_once", kinds=["labels"])
    make_label(cluster=make_cluster(name="bioPmed"), assessed_on="2013-09")
    hidden = make_label(cluster=make_cluster(name="Hidden"), assessed_on="2013-09")
    hide(hidden.cluster)

    run(at("10-01", "06:00"))

    assert subjects() == ["bioPmed: Gold label expired"]


def test_decision_that_was_annulled_is_not_told() -> None:
    before = timezone.make_aware(datetime(2026, 11, 20))
    make_subscription(rhythm="at_once", kinds=["labels"], confirmed_at=before, told_at=before)
    award = Decision.objects.get(label=award_label(cluster=make_cluster()))
    Decision.objects.create(
        label=award.label,
        kind=DecisionKind.ANNULMENT,
        undoes=award,
        state=DecisionState.MADE,
        takes_effect_on=award.takes_effect_on,
        reason="Wrong cluster.",
        needs_two=False,
        proposed_at=DECIDED_AT,
        decided_at=DECIDED_AT,
    )

    run(timezone.make_aware(datetime(2026, 11, 22, 13)))

    assert subjects() == []


# Whom it fits


def test_filters_choose_as_the_list_does() -> None:
    health, energy = make_topic(), make_topic()
    alpha, beta = make_cluster(name="Alpha", country="IT"), make_cluster(name="Beta", country="NO")
    publish_at(TUESDAY, title="A", clusters=[alpha], topics=[health])
    publish_at(TUESDAY, title="B", clusters=[beta], topics=[energy], kind="call",
               deadline_at=FIRST)  # fmt: skip
    publish_at(TUESDAY, title="C")
    choices: dict[str, dict[str, Any]] = {
        "ABC": {},
        "A": {"clusters": [alpha.public_id]},
        "B": {"topics": [energy.pk]},
        "AB": {"topics": [energy.pk, health.pk]},
        "AC": {"kinds": ["news"]},
        "": {"clusters": [alpha.public_id], "countries": ["NO"]},
    }
    for letters, choice in choices.items():
        make_subscription(address=f"x{letters}@example.org", **choice)
    make_subscription(address="gone@example.org", topics=[10**6])

    run(MONDAY)

    told = {message.to[0]: message.body for message in sent_mails()}
    for letters in choices:
        body = told.get(f"x{letters}@example.org", "")
        assert "".join(letter for letter in "ABC" if f"\n{letter}\n" in body) == letters
    assert "gone@example.org" not in told


def test_hidden_cluster_is_neither_named_nor_followed() -> None:
    cluster = make_cluster(name="Hidden")
    make_subscription(address="a@example.org")
    make_subscription(address="b@example.org", clusters=[cluster.public_id])
    publish_at(TUESDAY, title="Title", clusters=[cluster])
    hide(cluster)

    run(MONDAY)

    [message] = sent_mails()
    assert message.to == ["a@example.org"]
    assert "Hidden" not in message.body


def test_unconfirmed_gets_nothing() -> None:
    make_subscription(confirmed_at=None, told_at=None)
    publish_at(TUESDAY)

    run(MONDAY)

    assert subjects() == []


# The mail


def test_mail_is_in_the_language_of_the_reader_and_says_what_is_not() -> None:
    make_subscription(language="it", address="it@example.org")
    make_subscription(language="en", address="en@example.org")
    english = publish_at(TUESDAY, title="Only English", clusters=[make_cluster(name="bioPmed")])
    both = publish_at(TUESDAY, title="In both")
    make_announcement_text(both, language="it", title="In entrambe", lead="Sommario.")

    run(MONDAY)

    texts = {message.to[0]: message.body for message in sent_mails()}
    assert "Only English (solo in inglese)\n8 settembre 2015 · bioPmed\n" in texts["it@example.org"]
    assert "In entrambe\n8 settembre 2015\nSommario.\n" in texts["it@example.org"]
    assert "in English" not in texts["en@example.org"]
    assert f"http://testserver/it/news/2015/{english.texts.get().slug}/" in texts["it@example.org"]


def test_markup_and_line_breaks_of_a_title_stay_text() -> None:
    make_subscription(rhythm="at_once")
    publish_at(TUESDAY, title="<b>Bold</b>\r\nBcc: x@example.org", lead="<script>")

    run(LATER)

    row = Mail.objects.get()
    assert row.subject == "<b>Bold</b> Bcc: x@example.org"
    assert "&lt;b&gt;Bold" in row.html
    assert "<script" not in row.html
    assert "Bcc" not in message_of(row).message()


def test_mail_has_the_headers_of_one_click(client: Client) -> None:
    row = make_subscription()
    publish_at(TUESDAY)
    run(MONDAY)

    mail = Mail.objects.get()
    message = message_from_bytes(message_of(mail).message().as_bytes())
    url = message["List-Unsubscribe"].strip(" \r\n<>")
    assert message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert url.startswith("http://testserver/en/follow/mail/")
    assert url in mail.text
    response = client.post(
        url.removeprefix("http://testserver"),
        "List-Unsubscribe=One-Click",
        content_type="application/x-www-form-urlencoded",
    )
    assert response.status_code == 200
    assert not response.cookies
    assert not Subscription.objects.filter(pk=row.pk).exists()


def test_other_mails_have_no_such_header_and_what_left_keeps_no_link() -> None:
    make_subscription()
    publish_at(TUESDAY)
    run(MONDAY)
    [message] = sent_mails()

    assert "List-Unsubscribe" in message.extra_headers
    row = Mail.objects.get()
    assert (row.state, row.unsubscribe_url) == (MailState.SENT, "")
    assert "List-Unsubscribe" not in message_of(row).extra_headers


def test_long_digest_ends_with_the_number_of_the_others() -> None:
    make_subscription()
    for number in range(digests.MAX_STORIES + 3):
        publish_at(TUESDAY, title=f"Title {number}")

    run(MONDAY)

    [message] = sent_mails()
    assert message.body.count("\nTitle ") == digests.MAX_STORIES
    assert "And 3 more: http://testserver/en/news/" in message.body


# Runs


def test_dry_run_counts_and_writes_nothing() -> None:
    make_subscription(address="a@example.org")
    make_subscription(kinds=["labels"])
    publish_at(TUESDAY)

    output = run(MONDAY, "--dry-run")

    line = "due: weekly, up to 2015-09-13, news: 1, subscribers: 2, mails: 1"
    assert output.splitlines() == [line, "Due: 1 mails. Nothing was written."]
    assert not Mail.objects.exists()
    assert run(MONDAY).endswith("Written: 1 mails.\n")


def test_output_holds_no_address() -> None:
    make_subscription()
    publish_at(TUESDAY)

    assert "@" not in run(MONDAY, "--dry-run") + run(MONDAY)


def test_on_is_the_end_of_a_day_and_never_one_to_come() -> None:
    make_subscription()
    publish_at(TUESDAY)

    with pytest.raises(CommandError, match="still to come"):
        run(LATER, "--on", "2015-09-14")
    rehearsed = run(LATER, "--on", "2015-09-14", "--dry-run")
    on_sunday = run(MONDAY, "--on", "2015-09-12")
    today = run(MONDAY, "--on", "2015-09-14")

    assert rehearsed.endswith("Due: 1 mails. Nothing was written.\n")
    assert on_sunday == "Written: 0 mails.\n"
    assert today.endswith("Written: 1 mails.\n")


def test_progress_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(digests, "AT_ONCE", 2)
    monkeypatch.setattr("news.management.commands.send_digests.TOLD_EVERY", 4)
    for _number in range(9):
        make_subscription()
    publish_at(TUESDAY)

    lines = run(MONDAY).splitlines()

    assert lines[:2] == ["weekly: 4 of 9", "weekly: 8 of 9"]
    assert lines[-1] == "Written: 9 mails."


def test_chunk_asks_the_same_however_many_it_holds(monkeypatch: pytest.MonkeyPatch) -> None:
    for _number in range(6):
        make_subscription()
    publish_at(TUESDAY, clusters=[make_cluster()])
    with time_machine.travel(MONDAY):
        [window] = open_windows(MONDAY)
        monkeypatch.setattr(digests, "AT_ONCE", 2)
        numbers = []
        chunks = write_digests(window)
        for _chunk in range(2):
            with CaptureQueriesContext(connection) as queries:
                assert next(chunks).mails == 2
            numbers.append(len(queries))
        monkeypatch.setattr(digests, "AT_ONCE", 200)
        Subscription.objects.update(told_at=at("09-01"))
        with CaptureQueriesContext(connection) as queries:
            assert next(write_digests(window)).mails == 6

    # A savepoint around it, inside the transaction of the test.
    assert [*numbers, len(queries)] == [5, 5, 5]


def test_stories_are_asked_in_the_same_queries_however_many() -> None:
    make_subscription()

    def count() -> int:
        with CaptureQueriesContext(connection) as queries:
            list(open_windows(MONDAY))
        return len(queries)

    publish_at(TUESDAY, clusters=[make_cluster()], topics=[make_topic()])
    one = count()
    for _number in range(3):
        publish_at(TUESDAY, clusters=[make_cluster()], topics=[make_topic()])

    assert count() == one <= 24


@pytest.mark.django_db(transaction=True)
def test_two_runs_at_the_same_moment_write_one_mail_to_each() -> None:
    for _number in range(5):
        make_subscription()
    publish_at(TUESDAY)
    with time_machine.travel(MONDAY):
        [window] = open_windows(MONDAY)
    start = Barrier(2)

    def one_run() -> None:
        start.wait()
        list(write_digests(window))
        connection.close()

    runs = [Thread(target=one_run) for _number in range(2)]
    for thread in runs:
        thread.start()
    for thread in runs:
        thread.join()

    assert sorted(Mail.objects.values_list("to", flat=True)) == sorted(
        Subscription.objects.values_list("address", flat=True)
    )
