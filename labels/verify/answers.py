"""Answers about labels as a table, a spreadsheet and JSON: a row for each line that was asked."""

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from io import BytesIO
from urllib.parse import urlencode

from django.urls import reverse
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from clusters.formats.files import Words, about_list, rows_to_read, titles_of
from clusters.formats.writers import (
    Value,
    csv_text,
    style_for_spreadsheets,
    value_as_text,
    write_spreadsheet,
)
from clusters.http.addresses import absolute
from clusters.http.links import country_names, names_by_code
from clusters.models import PublicRecord
from clusters.names import ALPHABET
from labels.formats.records import label_record, label_record_in_words
from labels.models import STATE_NAMES, Label
from labels.register.holdings import level_options
from labels.validity import Days
from labels.verify.lookup import (
    FOUND_WORDS,
    LINE_VERDICTS,
    Answer,
    LabelClaim,
    LineVerdict,
    verify_all,
)
from labels.verify.questions import QuestionLine
from labels.words import REPLY_NAMES, Reply

COLUMNS = (
    *("line", "asked", "claimed_level", "claimed_on", "borne_out", "verdict", "found_as"),
    *("state_in_words", "caveat", "id", "level", "state", "cluster", "country"),
    *("certificate_number", *Days._fields, "valid_until_is_computed"),
    *("url", "transferred_to", "other_labels", "on", "nearest", "reasons"),
)

SALT = "labels.verification"

# What is told of a label on a day.
Records = dict[tuple[int, date], dict[str, object]]

BORNE_OUT = {
    Reply.YES: gettext_lazy("borne out"),
    Reply.NO: gettext_lazy("not borne out"),
    Reply.CANNOT_BE_TOLD: gettext_lazy("cannot be told"),
}


@dataclass(frozen=True)
class Answered:
    """A line of a list and the answer to it."""

    line: QuestionLine
    answer: Answer

    @property
    def number(self) -> int:
        return self.line.number

    @property
    def is_claim(self) -> bool:
        # It says a level or a day of its own, and is borne out or not.
        return bool(self.line.level or self.line.on)

    @property
    def borne_out(self) -> str:
        return str(BORNE_OUT[self.answer.words.reply])

    @property
    def others(self) -> int:
        # How many labels were found beside the one that decides.
        return max(len(self.answer.labels) + self.answer.more_labels - 1, 0)


@dataclass(frozen=True)
class AnswersPart:
    """The lines of a list with one verdict."""

    verdict: LineVerdict
    lines: list[Answered]

    @property
    def name(self) -> str:
        return str(LINE_VERDICTS[self.verdict])


def answer_lines(lines: Sequence[QuestionLine], day: date) -> list[Answered]:
    """A line without a day of its own is asked for this one."""
    answers = verify_all([LabelClaim(line.asked, line.on or day, line.level) for line in lines])
    return [Answered(line, found) for line, found in zip(lines, answers, strict=True)]


def parts(answered: Iterable[Answered]) -> list[AnswersPart]:
    # The valid ones first; every verdict has its part.
    by_verdict: dict[LineVerdict, list[Answered]] = {verdict: [] for verdict in LineVerdict}
    for line in answered:
        by_verdict[line.answer.verdict].append(line)
    return [AnswersPart(verdict, lines) for verdict, lines in by_verdict.items()]


def data_of(answered: Sequence[Answered], day: date) -> dict[str, object]:
    # Documented on the page about data.
    records: Records = {}
    counted = Counter(line.answer.verdict for line in answered)
    return {
        "on": day.isoformat(),
        "summary": {verdict.value: counted[verdict] for verdict in LineVerdict},
        "answers": [answer_data(line, records) for line in answered],
    }


def answer_data(line: Answered, records: Records) -> dict[str, object]:
    answer = line.answer
    return {
        "line": line.number,
        "asked": answer.asked,
        **claim_data(line),
        "verdict": answer.verdict.value,
        "found_as": answer.found_as.value if answer.found_as else None,
        "in_words": answer.words.sentence,
        "caveat": answer.words.caveat or None,
        "page": absolute_page(answer),
        "labels": [label_data(label, answer.day, records) for label in answer.labels],
        "more_labels": answer.more_labels,
        "clusters_without_labels": [
            {"id": cluster.public_id, "name": cluster.name, "url": absolute_url_of(cluster)}
            for cluster in answer.clusters_without_labels
        ],
        "more_clusters": answer.more_clusters,
        "organisations": [
            {
                "id": organisation.public_id,
                "name": organisation.name,
                "url": absolute_url_of(organisation),
                "clusters": [
                    {"id": managed.cluster.public_id, "manages_on_day": managed.is_current}
                    for managed in answer.management
                    if managed.organisation == organisation
                ],
            }
            for organisation in answer.organisations
        ],
        "nearest": [{"name": near.name, "why": near.why} for near in answer.nearest],
        "reasons": answer.reasons,
    }


def reference_of(answer: Answer, checked_on: date) -> str:
    """Eight characters for what was answered to what, of which day and when.

    Who has the question, both days and the answer in hand can have it checked by the register.
    """
    said = [answer.asked, answer.day.isoformat(), checked_on.isoformat(), str(answer.words)]
    said += [label.public_id for label in answer.labels]
    number = int(salted_hmac(SALT, json.dumps(said), algorithm="sha256").hexdigest(), 16)
    return "".join(ALPHABET[number // len(ALPHABET) ** place % len(ALPHABET)] for place in range(8))


def claim_data(line: Answered) -> dict[str, str | None]:
    return {
        "claimed_level": line.line.level or None,
        "claimed_on": line.line.on.isoformat() if line.line.on else None,
        "borne_out": line.answer.words.reply.value if line.is_claim else None,
    }


def label_data(label: Label, day: date, records: Records) -> dict[str, object]:
    # Its record and the state in words; made once for all lines.
    if (label.pk, day) not in records:
        records[label.pk, day] = label_record_in_words(label, day)
    return records[label.pk, day]


def absolute_url_of(row: PublicRecord) -> str:
    return absolute(row.get_absolute_url())


def absolute_page(answer: Answer) -> str:
    # The page for people that answers the same.
    asked = urlencode({"q": answer.asked, "on": answer.day.isoformat()})
    return absolute(f"{reverse('labels:verify')}?{asked}")


def answer_row(line: Answered) -> list[Value]:
    answer, label = line.answer, line.answer.label
    record = label_record(label, answer.day) if label else {}
    cluster = record.get("cluster", {})
    values: dict[str, Value] = {
        "line": line.number,
        "asked": answer.asked,
        **claim_data(line),
        "verdict": answer.verdict.value,
        "found_as": answer.found_as.value if answer.found_as else None,
        "state_in_words": answer.words.sentence,
        "caveat": answer.words.caveat,
        "cluster": cluster.get("name")
        or joined_messages(c.name for c in answer.clusters_without_labels),
        "country": cluster.get("country"),
        "other_labels": line.others,
        "on": answer.day.isoformat(),
        "nearest": joined_messages(near.name for near in answer.nearest),
        "reasons": " ".join(answer.reasons),
    }
    return [values.get(name, record.get(name)) for name in COLUMNS]


def joined_messages(texts: Iterable[str]) -> str:
    return "; ".join(texts)


def as_csv(answered: Sequence[Answered], day: date) -> bytes:
    # For a spreadsheet that speaks the active language; nothing becomes a formula.
    style = style_for_spreadsheets()
    rows = ([value_as_text(value, style) for value in answer_row(line)] for line in answered)
    return csv_text(COLUMNS, rows, style).encode()


def as_json(answered: Sequence[Answered], day: date) -> bytes:
    return json.dumps(data_of(answered, day), ensure_ascii=False, indent=1).encode()


def as_spreadsheet(answered: Sequence[Answered], day: date) -> bytes:
    # Text stays text, whatever it begins with.
    file = BytesIO()
    levels = names_by_code(level_options())
    words: Words = {
        "claimed_level": levels,
        "level": levels,
        "borne_out": REPLY_NAMES,
        "verdict": LINE_VERDICTS,
        "found_as": FOUND_WORDS,
        "state": STATE_NAMES,
        "country": country_names(),
    }
    about = about_list(absolute(reverse("labels:verify")), day, _("the lines that were sent"))
    write_spreadsheet(
        file,
        "answers",
        titles_of(COLUMNS),
        rows_to_read(COLUMNS, map(answer_row, answered), words),
        on=day,
        frozen_columns=2,
        about=(_("About this file"), about),
    )
    return file.getvalue()
