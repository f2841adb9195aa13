"""The ways to write: each tried by one person alone, and taken back.

Every check yields in words what one person could change, or could not and should; none is well.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from datetime import date, timedelta
from functools import partial
from typing import Any

from django.core.exceptions import ValidationError
from django.db import IntegrityError, connection, models, transaction
from django.test import Client
from django.urls import reverse

from clusters.models import Cluster
from labels.admin.forms import STEPS
from labels.importing.resources import LabelResource
from labels.life import proposals
from labels.life import steps as life
from labels.life.days import save_label
from labels.models import Decision, DecisionState, Label, Suspension
from labels.models.triggers import DECIDED, HOLDS_LABELS, UNDECIDED
from tests.admin_forms import form_data, form_data_of_version
from tests.admin_tables import confirm, upload
from tests.factories import DECIDED_AT
from tests.labels.facts.world import (
    ALONE,
    World,
    changed,
    columns_of,
    facts,
    facts_stored,
    other_ended_suspensions,
    other_suspensions,
    others,
)

NEXT_YEAR = date(2027, 2, 1)

Write = Callable[[Any, str, Any], object]
Problems = Iterator[str]
Pages = Callable[[World], Problems]


def column_of(row: models.Model, name: str) -> Any:
    return row._meta.get_field(name)


def stored_value(row: models.Model, name: str, value: Any) -> Any:
    # As a statement takes it.
    column = column_of(row, name)
    key = value.pk if isinstance(value, models.Model) else value
    return column.get_db_prep_save(key, connection)


def untried(world: World) -> Problems:
    """Columns without another value to try them with, and values of what is no column."""
    yield from others(world).keys() ^ {*facts()}
    for table in (other_suspensions(world), other_ended_suspensions(world)):
        yield from table.keys() ^ columns_of(Suspension)
    yield from other_decisions(world, world.to_annul).keys() ^ columns_of(Decision)


# Statements


def update(row: Any, name: str, value: Any) -> object:
    return type(row).objects.filter(pk=row.pk).update(**{name: value})


def save(row: Any, name: str, value: Any) -> None:
    setattr(row, name, value)
    row.save()


def save_base(row: Any, name: str, value: Any) -> None:
    setattr(row, name, value)
    row.save_base(raw=True)


def bulk_update(row: Any, name: str, value: Any) -> object:
    setattr(row, name, value)
    return type(row).objects.bulk_update([row], [name])


def bulk_create(row: Any, name: str, value: Any) -> object:
    setattr(row, name, value)
    names = [column.name for column in row._meta.concrete_fields if not column.primary_key]
    return type(row).objects.bulk_create(
        [row], update_conflicts=True, update_fields=names, unique_fields=["id"]
    )


def raw_update(row: Any, name: str, value: Any) -> None:
    column = column_of(row, name).column
    statement = f"UPDATE {row._meta.db_table} SET {column} = %s WHERE id = %s"  # noqa: S608
    with connection.cursor() as cursor:
        cursor.execute(statement, [stored_value(row, name, value), row.pk])


def replace(row: Any, name: str, value: Any) -> None:
    """INSERT OR REPLACE; on PostgreSQL what is like it there."""
    names = [column.name for column in row._meta.concrete_fields]
    fresh = type(row)._default_manager.get(pk=row.pk)
    values = {one: stored_value(fresh, one, getattr(fresh, one)) for one in names}
    values[name] = stored_value(row, name, value)
    put(row, values)


def put(row: Any, values: dict[str, Any]) -> None:
    columns = [column_of(row, name).column for name in values]
    table, listed = row._meta.db_table, ", ".join(columns)
    places = ", ".join(["%s"] * len(columns))
    if connection.vendor == "sqlite":
        statement = f"INSERT OR REPLACE INTO {table} ({listed}) VALUES ({places})"  # noqa: S608
    else:
        set_to = ", ".join(f"{column} = EXCLUDED.{column}" for column in columns)
        statement = (
            f"INSERT INTO {table} ({listed}) VALUES ({places}) "  # noqa: S608
            f"ON CONFLICT (id) DO UPDATE SET {set_to}"
        )
    with connection.cursor() as cursor:
        cursor.execute(statement, list(values.values()))


STATEMENTS: tuple[Write, ...] = (
    update, save, save_base, bulk_update, bulk_create, raw_update, replace
)  # fmt: skip
# What replaces a whole row on SQLite is refused there whatever it says.
OF_WHOLE_ROWS = (bulk_create, replace) if connection.vendor == "sqlite" else ()


def words(way: Write, *refusal: str) -> tuple[str, ...]:
    # PostgreSQL checks the row that would be inserted before it finds the other one.
    return (*refusal, "violates check constraint") if way in (bulk_create, replace) else refusal


def derive_and_save(row: Any, name: str, value: Any) -> None:
    setattr(row, name, value)
    save_label(row)


def with_an_old_decision(row: Any, name: str, value: Any) -> None:
    # One that was made, and has had its effect.
    old = Decision.objects.made().filter(label=row).earliest("pk")
    type(row).objects.filter(pk=row.pk).update(decision=old, **{name: value})


def with_a_decision_on_another(row: Any, name: str, value: Any) -> None:
    of_another = Decision.objects.made().exclude(label=row).latest("pk")
    type(row).objects.filter(pk=row.pk).update(decision=of_another, **{name: value})


def refused_in_words(call: Callable[[], object], *words: str) -> str | None:
    """Try and take back: None where the database refuses with these words, else what happened."""
    try:
        with transaction.atomic():
            call()
            connection.check_constraints()
            transaction.set_rollback(True)
    except IntegrityError as error:
        return None if any(word in str(error) for word in words) else f"otherwise: {error}"
    return "written"


def by_statement(world: World, ways: Iterable[Write] = STATEMENTS) -> Problems:
    for name, (label, value) in others(world).items():
        for way in ways:
            fresh = Label.objects.get(pk=label.pk)
            happened = refused_in_words(partial(way, fresh, name, value), *words(way, UNDECIDED))
            if name in ALONE and way not in OF_WHOLE_ROWS:
                happened = None if happened == "written" else f"not {happened}"
            if happened:
                yield f"{name} by {way.__name__}: {happened}"


def by_derivation(world: World) -> Problems:
    # As the steps write, but without a decision, or with one of before or of another label.
    for name, (label, value) in others(world).items():
        for way in (with_a_decision_on_another, with_an_old_decision):
            row = Label.objects.get(pk=label.pk)
            if name in ALONE or (way is with_an_old_decision and label != world.silver):
                continue
            happened = refused_in_words(partial(way, row, name, value), UNDECIDED)
            if happened:
                yield f"{name} by {way.__name__}: {happened}"
    for name in ("level", "score", "awarded_on", "is_published"):
        label, value = others(world)[name]
        row = Label.objects.get(pk=label.pk)
        happened = refused_in_words(lambda: derive_and_save(row, name, value), UNDECIDED)  # noqa: B023
        if happened:
            yield f"{name} by save_label: {happened}"


def by_deletion(world: World) -> Problems:
    def delete_row(label: Label) -> None:
        label.delete()

    def delete_rows(label: Label) -> None:
        Label.objects.filter(pk=label.pk).delete()

    def raw_delete(label: Label) -> None:
        with connection.cursor() as cursor:
            cursor.execute("DELETE FROM labels_label WHERE id = %s", [label.pk])

    def replace_by_dates(label: Label) -> None:
        # Another row, with what no two labels share.
        values = values_of(label)
        put(label, values | {"id": label.pk + 1000, "public_id": "ZZZZZZZZ", "score": 99})

    ways = [delete_row, delete_rows, raw_delete]
    if connection.vendor == "sqlite":
        ways.append(replace_by_dates)
    for way in ways:
        label = Label.objects.get(pk=world.gold.pk)
        if happened := refused_in_words(lambda: way(label), UNDECIDED):  # noqa: B023
            yield f"deleted by {way.__name__}: {happened}"


def values_of(row: Any) -> dict[str, Any]:
    names = [column.name for column in row._meta.concrete_fields]
    return {name: stored_value(row, name, getattr(row, name)) for name in names}


# Suspensions, decisions, clusters


def suspensions_by_statement(world: World) -> Problems:
    for table in (other_suspensions(world), other_ended_suspensions(world)):
        for name, (suspension, value) in table.items():
            if name in WORDS:
                continue
            for way in STATEMENTS:
                row = Suspension.objects.get(pk=suspension.pk)
                if happened := refused_in_words(partial(way, row, name, value), UNDECIDED):
                    yield f"suspension's {name} by {way.__name__}: {happened}"
    yield from suspensions_added(world)
    yield from suspensions_deleted(world)


def suspensions_added(world: World) -> Problems:
    # Where nobody decided it, where it was taken back, and where it had its effect already.
    began = {
        label: Decision.objects.made().filter(label=label, kind="suspension").latest("pk")
        for label in (world.annulled, world.reinstated)
    }
    days = {label: decision.takes_effect_on for label, decision in began.items()}
    days[world.gold] = days[world.annulled]
    for label, day in days.items():
        for end in (None, day.replace(year=2027)):
            given = {"label": label, "starts_on": day, "ends_on": end, "reason": "x"}
            ways: dict[str, Callable[[], object]] = {
                "create": lambda: Suspension.objects.create(**given),  # noqa: B023
                "bulk_create": lambda: Suspension.objects.bulk_create([Suspension(**given)]),  # noqa: B023
            }
            for way, add in ways.items():
                if happened := refused_in_words(add, UNDECIDED, "suspension_once_from_a_day"):
                    yield f"suspension of {label.pk} to {end} by {way}: {happened}"


def suspensions_deleted(world: World) -> Problems:
    for label in (world.suspended, world.reinstated, world.silver):
        rows = Suspension.objects.filter(label=label)
        ways: dict[str, Callable[[], object]] = {
            "delete": lambda: rows.get().delete(),  # noqa: B023
            "queryset": rows.delete,
            "raw": lambda: rows._raw_delete(rows.db),  # noqa: B023
        }
        for way, delete in ways.items():
            if happened := refused_in_words(delete, UNDECIDED):
                yield f"suspension of {label.pk} deleted by {way}: {happened}"


# From which an erased address goes; what is approved is compared with them.
WORDS = ("reason", "answer")


def decisions_by_statement(world: World) -> Problems:
    made, refused = world.to_annul, refused_proposal(world)
    waiting = life.suspend(world.gold, on=NEXT_YEAR, reason="x", by=world.editor, now=DECIDED_AT)
    for decision in (made, refused, waiting):
        for name, value in other_decisions(world, decision).items():
            if name in WORDS:
                continue
            for way in STATEMENTS:
                row = Decision.objects.get(pk=decision.pk)
                if happened := refused_in_words(
                    partial(way, row, name, value), *words(way, DECIDED)
                ):
                    yield f"{decision.state} decision's {name} by {way.__name__}: {happened}"
    for decision in (made, refused):
        rows = Decision.objects.filter(pk=decision.pk)
        for delete in (rows.delete, lambda: rows._raw_delete(rows.db)):  # noqa: B023
            if happened := refused_in_words(delete, DECIDED):
                yield f"{decision.state} decision deleted: {happened}"
    yield from made_by_the_proposer(waiting)


def refused_proposal(world: World) -> Decision:
    # Of a label that has no other decision.
    decision = life.revoke(world.earlier, on=NEXT_YEAR, reason="x", by=world.editor, now=DECIDED_AT)
    return proposals.refuse_proposal(decision, answer="No.", by=world.lead, now=DECIDED_AT)


def other_decisions(world: World, decision: Decision) -> dict[str, Any]:
    """By column another value; of one that waits without what deciding fills in."""
    said = {
        "label": world.annulled,
        "kind": "transfer",
        "reason": "Another reason.",
        "ends_on": NEXT_YEAR,
        "organisation_before": world.organisation,
        "organisation_after": world.organisation,
        "cluster_after": world.cluster,
        "changes": {"level": ["gold", "bronze"]},
        "undoes": Decision.objects.made().exclude(pk=decision.pk).latest("pk"),
        "needs_two": not decision.needs_two,
        "proposed_by": world.lead,
        "proposed_at": DECIDED_AT + timedelta(days=1),
    }
    decided = {
        "state": "refused" if decision.state == DecisionState.MADE else "made",
        "takes_effect_on": NEXT_YEAR + timedelta(days=1),
        "decided_by": world.editor,
        "decided_at": DECIDED_AT + timedelta(days=1),
        "answer": "Another answer.",
    }
    if decision.state == DecisionState.PROPOSED:
        return said | {"proposed_by": None}
    return said | decided


def made_by_the_proposer(waiting: Decision) -> Problems:
    for way in (Decision.objects.filter(pk=waiting.pk).update,):
        given = {"state": "made", "decided_at": DECIDED_AT, "decided_by": waiting.proposed_by}
        happened = refused_in_words(lambda: way(**given), "decision_is_made_by_another_person")  # noqa: B023
        if happened:
            yield f"made by who proposed it: {happened}"


def clusters_by_statement(world: World) -> Problems:
    for way in STATEMENTS:
        row = Cluster.objects.get(pk=world.gold.cluster_id)
        if happened := refused_in_words(lambda: way(row, "is_published", False), HOLDS_LABELS):  # noqa: B023
            yield f"cluster hidden by {way.__name__}: {happened}"
    rows = Cluster.objects.filter(pk=world.gold.cluster_id)
    raw = refused_in_words(lambda: rows._raw_delete(rows.db), "FOREIGN KEY", "foreign key")
    if raw:
        yield f"cluster deleted: {raw}"


# Pages: what one person sends leaves every fact as it is, but the two of the closed list


def taken_back(send: Callable[[], object], allowed: Iterable[str] = ()) -> tuple[set[str], bool]:
    """What changed that may not, and whether a proposal waits that takes two persons."""
    before, waiting = facts_stored(), set(Decision.objects.waiting().values_list("pk", flat=True))
    with transaction.atomic():
        send()
        found = changed(before)
        new = Decision.objects.waiting().filter(needs_two=True).exclude(pk__in=waiting)
        is_proposed = new.exists()
        transaction.set_rollback(True)
    return found ^ set(allowed), is_proposed


def typed(value: Any) -> Any:
    return value.pk if isinstance(value, models.Model) else str(value)


def with_value(data: dict[str, Any], name: str, value: Any) -> dict[str, Any]:
    # As a browser sends it.
    rest = {key: sent for key, sent in data.items() if key != name}
    return rest if value is False else rest | {name: typed(value)}


def address(label: Label, page: str, *more: Any) -> str:
    return reverse(f"admin:labels_label_{page}", args=[label.pk, *more])


# What each role finds in the form of correction; the rest is sent all the same.
FORM_OF_AN_EDITOR = frozenset(LabelResource.Meta.fields) - {"public_id"}
FORM_OF_A_LEAD = FORM_OF_AN_EDITOR | {"is_published"}


def by_form(world: World, names: Iterable[str] = ()) -> Problems:
    for account, form in ((world.editor, FORM_OF_AN_EDITOR), (world.lead, FORM_OF_A_LEAD)):
        client = world.client(account)
        data = {
            label: form_data(client, address(label, "change"))
            for label in (world.gold, world.silver)
        }
        for name in names or facts():
            label, value = others(world)[name]
            given = with_value(data[label], name, value) | {"reason": "Misread."}
            yield from told(
                f"{name} by the form",
                lambda: client.post(address(label, "change"), given),  # noqa: B023
                name,
                is_offered=name in form,
            )


def told(way: str, send: Callable[[], object], name: str, *, is_offered: bool) -> Problems:
    wrong, is_proposed = taken_back(send, {name} & ALONE if is_offered else ())
    for one in wrong:
        yield f"{way}: {one}"
    if is_proposed != (is_offered and name not in ALONE):
        yield f"{way}: {'' if is_proposed else 'not '}proposed"


def by_import(world: World, names: Iterable[str] = ()) -> Problems:
    page = reverse("admin:labels_label_import")
    for account in (world.editor, world.lead):
        client = world.client(account)
        for name in names or facts():
            label, value = others(world)[name]
            text = getattr(value, "public_id", None) or getattr(value, "code", None) or value
            table = f"public_id,{name},reason\n{label.public_id},{text},Misread.\n"

            def send() -> None:
                preview = upload(client, page, table)  # noqa: B023
                if "confirm_form" in preview.context:
                    confirm(client, page, preview)  # noqa: B023

            yield from told(f"{name} by a table", send, name, is_offered=name in FORM_OF_AN_EDITOR)


def by_restoring(world: World, names: Iterable[str] = ()) -> Problems:
    client = world.client(world.lead)
    for name in names or facts():
        label, value = others(world)[name]
        version = label.history.latest()
        version.pk, version.history_date = None, DECIDED_AT - timedelta(days=1)
        setattr(version, name, value)
        version.save()
        page = address(label, "simple_history", version.pk)
        data = form_data_of_version(client, page) | {"reason": "It was right."}
        yield from told(
            f"{name} by its old version",
            lambda: client.post(page, data),  # noqa: B023
            name,
            is_offered=name in FORM_OF_A_LEAD,
        )


# What each step wants to be sent; a new one wants a line here.
SENT: dict[str, dict[str, str]] = {
    "renew": {"assessed_on": "2026-11-20"},
    "extend": {"until": "2030-01-01"},
    "suspend": {"on": "2026-12-01"},
    "reinstate": {"on": "2026-11-22"},
    "transfer": {"on": "2026-12-01"},
    "revoke": {"on": "2026-12-01"},
}


def by_steps(world: World) -> Problems:
    """Every page of a step, looked at and confirmed by a lead; and what undoes one."""
    client = world.client(world.lead)
    pages = {
        slug: (world.suspended if slug == "reinstate" else world.gold, SENT[slug]) for slug in STEPS
    }
    steps = {address(label, slug): sent for slug, (label, sent) in pages.items()}
    for page, sent in steps.items():
        more = {"organisation": world.organisation.pk} if "transfer" in page else {}
        yield from by_step(client, page, sent | more)
    moved = SENT["transfer"] | {"cluster": str(world.cluster.pk)}
    yield from by_step(client, address(world.gold, "transfer"), moved)
    yield from by_step(client, reverse("admin:labels_decision_annul", args=[world.to_annul.pk]), {})


def by_step(client: Client, page: str, sent: dict[str, Any]) -> Problems:
    def send() -> None:
        form = client.get(page).context["form"]
        data = {field.html_name: field.value() or "" for field in form} | sent | {"reason": "x"}
        looked = client.post(page, data)
        if looked.status_code != 302:
            seen = looked.context["form"].data.get("seen", "")
            client.post(page, data | {"seen": seen})

    wrong, is_proposed = taken_back(send)
    yield from (f"{page}: {one}" for one in wrong)
    if not is_proposed:
        yield f"{page}: not proposed"


def by_adding(world: World) -> Problems:
    """A new label, by the form and by a table."""
    cluster = world.cluster
    for account in (world.editor, world.lead):
        client = world.client(account)
        page = reverse("admin:labels_label_add")
        data = form_data(client, page) | {
            "cluster": cluster.pk, "level": "gold", "assessed_on": "2026-09-01",
            "is_published": "on", "reason": "x",
        }  # fmt: skip
        yield from by_sending(f"{page} by {account.pk}", lambda: client.post(page, data))  # noqa: B023
        table = (
            "cluster,level,assessed_on,source,reason\n"
            f"{cluster.public_id},gold,2026-09-01,A list,x\n"
        )
        page_of_tables = reverse("admin:labels_label_import")
        yield from by_sending(
            f"{page_of_tables} by {account.pk}",
            lambda: confirm(client, page_of_tables, upload(client, page_of_tables, table)),  # noqa: B023
        )


def by_sending(way: str, send: Callable[[], object], *, proposes: bool = True) -> Problems:
    wrong, is_proposed = taken_back(send)
    yield from (f"{way}: {one}" for one in wrong)
    if is_proposed != proposes:
        yield f"{way}: {'' if is_proposed else 'not '}proposed"


def by_the_proposer(world: World) -> Problems:
    """A lead who proposed looks at it and approves it, in every way there is."""
    client = world.client(world.lead)
    decision = life.extend(
        world.gold, until=date(2030, 1, 1), reason="x", by=world.lead,
        now=DECIDED_AT,
    )  # fmt: skip
    digest = proposals.tried(decision, now=DECIDED_AT).digest
    page = reverse("admin:labels_decision_approve", args=[decision.pk])
    listed = reverse("admin:labels_decision_changelist")
    action = {
        "action": "approve_selected",
        "_selected_action": [decision.pk],
        "seen": f"{decision.pk}:{digest}",
    }

    def by_life() -> None:
        with suppress(ValidationError):
            proposals.approve(decision, seen=digest, by=world.lead, now=DECIDED_AT)

    def together() -> None:
        with suppress(ValidationError):
            proposals.approve_together([(decision, digest)], by=world.lead, now=DECIDED_AT)

    ways: dict[str, Callable[[], object]] = {
        "page": lambda: client.post(page, {"seen": digest}),
        "action": lambda: client.post(listed, action),
        "approve": by_life,
        "approve_together": together,
    }
    for way, send in ways.items():
        yield from by_sending(f"approved by who proposed it, by {way}", send, proposes=False)


def by_cluster(world: World) -> Problems:
    """A cluster that holds public labels is taken out of the public, or deleted."""
    cluster = world.gold.cluster
    for account in (world.editor, world.lead):
        client = world.client(account)
        change = reverse("admin:clusters_cluster_change", args=[cluster.pk])
        data = with_value(form_data(client, change), "is_published", False)
        version = cluster.history.latest()
        version.pk, version.is_published = None, False
        version.save()
        old = reverse("admin:clusters_cluster_simple_history", args=[cluster.pk, version.pk])
        restored = with_value(form_data(client, change), "is_published", False)
        back = reverse("admin:clusters_cluster_restore", args=[cluster.pk, "cluster", version.pk])
        listed = reverse("admin:clusters_cluster_changelist")
        action = {"action": "unpublish", "_selected_action": [cluster.pk]}
        delete = reverse("admin:clusters_cluster_delete", args=[cluster.pk])
        table = f"public_id,is_published\n{cluster.public_id},0\n"
        page = reverse("admin:clusters_cluster_import")
        ways: dict[str, Callable[[], object]] = {
            "form": lambda: client.post(change, data),  # noqa: B023
            "old version": lambda: client.post(old, restored),  # noqa: B023
            "restoring": lambda: restore(client, back),  # noqa: B023
            "restoring it all": lambda: restore(client, f"{back}?whole"),  # noqa: B023
            "action": lambda: client.post(listed, action),  # noqa: B023
            "deletion": lambda: client.post(delete, {"post": "yes"}),  # noqa: B023
            "table": lambda: upload(client, page, table),  # noqa: B023
        }
        for way, send in ways.items():
            yield from by_sending(f"cluster by {way}", send, proposes=False)


def restore(client: Client, page: str) -> object:
    looked = client.get(page)
    restoration = looked.context and looked.context["restoration"]
    return client.post(page, {"_versions": restoration.versions if restoration else ""})


def by_deleting(world: World) -> Problems:
    for account in (world.editor, world.lead):
        client = world.client(account)
        for page in (
            address(world.gold, "delete"),
            reverse("admin:labels_suspension_delete", args=[world.suspended.suspensions.get().pk]),
            reverse("admin:labels_decision_delete", args=[world.to_annul.pk]),
        ):
            send = partial(client.post, page, {"post": "yes"})
            yield from by_sending(f"{page} by {account.pk}", send, proposes=False)
