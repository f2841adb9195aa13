"""Finding, erasing and handing out everything about an address."""

import json
import re
from contextlib import suppress
from datetime import date, timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from django.apps import apps
from django.conf import settings
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.contenttypes.models import ContentType
from django.contrib.sessions.models import Session
from django.core.management import CommandError, call_command
from django.db import IntegrityError, connection, models, transaction
from django.test import Client
from django.utils import timezone

from clusters.models import (
    Account,
    Claim,
    ClaimState,
    Event,
    EventAddress,
    EventKind,
    FormDraft,
    Invitation,
    Mail,
    Mandate,
    Organisation,
    ProblemReport,
    Role,
    SavedFilter,
    TeamMember,
    TeamRole,
)
from clusters.people.log import record
from config.privacy.erasing import (
    erase_address,
    find_address,
    free_text_fields,
    mention_pattern,
    stored_models,
    without_mention,
)
from labels.models import Decision, DecisionKind, Delivery, Expert, Label
from news.models import Subscription
from tests.factories import (
    change_label,
    made_decision,
    make_account,
    make_announcement,
    make_cluster,
    make_label,
    make_mail,
    make_management,
    make_organisation,
    make_participation,
    make_programme,
    make_subscription,
    make_team_member,
    portfolio,
)

pytestmark = pytest.mark.django_db

ADDRESS = "j.doe@example.org"
NOW = timezone.now()


def run(command: str, *arguments: str, **options: Any) -> str:
    out = StringIO()
    call_command(command, *arguments, stdout=out, **options)
    return out.getvalue()


def make_invitation(**fields: Any) -> Invitation:
    defaults = {
        "email": ADDRESS,
        "organisation": make_organisation(),
        "team_role": TeamRole.EDITOR,
        "expires_at": NOW + timedelta(days=7),
    }
    return Invitation.objects.create(**(defaults | fields))


def make_claim(**fields: Any) -> Claim:
    defaults = {"role_address": ADDRESS, "reason": "It is ours."}
    if "organisation" not in fields:
        fields["organisation"] = make_organisation()
    return Claim.objects.create(**(defaults | fields))


def make_report(**fields: Any) -> ProblemReport:
    defaults = {
        "kind": "cluster",
        "record_id": "CCCCCCCC",
        "record_name": "A cluster",
        "path": "/clusters/a/",
        "text": "Wrong.",
        "reply_address": ADDRESS,
    }
    return ProblemReport.objects.create(**(defaults | fields))


@pytest.fixture
def account(client: Client) -> Account:
    """An account with everything that an account may have, and an open session."""
    account = make_account(Role.EXPERT, Role.POLICY_MAKER, email=ADDRESS, password="secret-word-1")
    EmailAddress.objects.create(user=account, email=ADDRESS, verified=True, primary=True)
    Authenticator.objects.create(
        user=account, type=Authenticator.Type.TOTP, data={"secret": "s", "name": ADDRESS}
    )
    make_team_member(account=account, role=TeamRole.EDITOR)
    Mandate.objects.create(account=account, programme=make_programme())
    expert = Expert.objects.create(account=account, country="IT", languages="en")
    expert.portfolios.add(portfolio())
    Delivery.objects.create(account=account, week_from=date(2026, 11, 23), written_at=NOW)
    record(
        EventKind.SIGNED_IN,
        now=NOW,
        account=account,
        network_address="192.0.2.7",
        typed_address=ADDRESS,
    )
    LogEntry.objects.create(
        user=account,
        content_type=ContentType.objects.get_for_model(Account),
        object_id=str(account.pk),
        object_repr=ADDRESS,
        action_flag=CHANGE,
        change_message=f"Changed {ADDRESS}.",
    )
    client.force_login(account)
    return account


def where(address: str = ADDRESS) -> set[tuple[str, str]]:
    return {(place.table, place.field) for place in find_address(address)}


def dump() -> str:
    """Every row of every table of the database, sessions decoded."""
    texts = [json.dumps(session.get_decoded(), default=str) for session in Session.objects.all()]
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f"SELECT * FROM {connection.ops.quote_name(table)}")  # noqa: S608
            texts += [f"{table}: {row!r}" for row in cursor.fetchall()]
    return "\n".join(texts).casefold()


# What is a mention


@pytest.mark.parametrize(
    "text",
    [
        ADDRESS,
        "J.DOE@EXAMPLE.ORG",
        f"Write to {ADDRESS}.",
        f"<{ADDRESS}>",
        f"'{ADDRESS}'",
        f"mailto:{ADDRESS}?subject=x",
        "https://example.com/?mail=j.doe%40example.org&x=1",
        json.dumps([["body", f"Write to\n{ADDRESS}\tor\r\n"]]),
    ],
)
def test_mention_is_recognised(text: str) -> None:
    assert mention_pattern({ADDRESS}).search(text)


@pytest.mark.parametrize(
    "text",
    [
        "the.j.doe@example.org",
        "xj.doe@example.org",
        "x-j.doe@example.org",
        "j.doe@example.org.uk",
        "j.doe@example.organisation",
        "j.doe@example.org-x.eu",
        "jxdoe@example.org",
    ],
)
def test_longer_address_is_another_one(text: str) -> None:
    assert not mention_pattern({ADDRESS}).search(text)


def test_wildcards_of_sql_are_plain_letters() -> None:
    make_report(reply_address="jxdoe@example.org")

    assert find_address("j_doe@example.org") == find_address("%@example.org") == []


# Finding


def test_find_says_that_there_is_nothing() -> None:
    assert run("gdpr_find", ADDRESS) == f"Nothing was found about {ADDRESS}.\n"


def test_find_lists_what_belongs_to_the_account(account: Account) -> None:
    assert {
        ("clusters.account", "email"),
        ("clusters.historicalaccount", "email"),
        ("account.emailaddress", "email"),
        ("account.emailaddress", "user"),
        ("mfa.authenticator", "user"),
        ("clusters.teammember", "account"),
        ("clusters.mandate", "account"),
        ("labels.expert", "account"),
        ("labels.delivery", "account"),
        ("clusters.event", "account"),
        ("clusters.eventaddress", "typed_address"),
        ("admin.logentry", "object_repr"),
        ("admin.logentry", "change_message"),
        ("sessions.session", "session_data"),
    } <= where()


def test_find_lists_what_mentions_the_address() -> None:
    make_invitation()
    make_claim()
    make_report(text=f"Ask {ADDRESS.upper()}!", answer=f"We asked {ADDRESS}.")
    make_organisation(role_address=ADDRESS)
    make_cluster(contact_address=ADDRESS)

    places = {
        ("clusters.invitation", "email"),
        ("clusters.claim", "role_address"),
        ("clusters.problemreport", "reply_address"),
        ("clusters.problemreport", "text"),
        ("clusters.problemreport", "answer"),
        ("clusters.organisation", "role_address"),
        ("clusters.cluster", "contact_address"),
    }
    versions = {(table.replace(".", ".historical"), name) for table, name in places}
    assert where() == places | versions


def test_find_ignores_longer_addresses() -> None:
    make_report(reply_address=f"the.{ADDRESS}", text=f"{ADDRESS}.uk")

    assert where() == set()


def test_find_speaks_to_machines() -> None:
    report = make_report()

    found = json.loads(run("gdpr_find", ADDRESS, format="json"))

    assert found["address"] == ADDRESS
    assert {
        "table": "clusters.problemreport",
        "field": "reply_address",
        "keys": [report.pk],
        "is_mention": True,
    } in found["places"]


def test_find_speaks_to_people() -> None:
    report = make_report()

    lines = run("gdpr_find", ADDRESS).splitlines()

    assert lines[-1] == (
        f"clusters.problemreport.reply_address: 1 row holds the address ({report.pk})"
    )


# Erasing


def test_erase_without_yes_tells_and_writes_nothing(account: Account) -> None:
    make_report()
    before = dump()

    out = run("gdpr_erase", ADDRESS)

    assert "clusters.teammember: 1 row would be deleted" in out
    assert "clusters.problemreport: 1 row would be changed" in out
    assert out.endswith("Nothing was written. Repeat with --yes to do it.\n")
    assert dump() == before


def test_erase_says_that_there_is_nothing() -> None:
    assert run("gdpr_erase", ADDRESS, "--yes") == f"Nothing was found about {ADDRESS}.\n"
    assert not Event.objects.exists()


def test_erase_makes_the_account_nameless(account: Account, client: Client) -> None:
    session_number = account.session_number

    run("gdpr_erase", ADDRESS, "--yes")

    account.refresh_from_db()
    assert account.email == f"erased-{account.pk}@invalid.example"
    assert not account.is_active
    assert not account.has_usable_password()
    assert account.session_number == session_number + 1
    assert not account.groups.exists()
    for model in (EmailAddress, Authenticator, TeamMember, Mandate, Expert, Session):
        assert not model.objects.exists()
    assert not Expert.history.exists()
    assert client.get("/en/account/").status_code == 302


def test_erase_leaves_the_log_without_an_address(account: Account) -> None:
    run("gdpr_erase", ADDRESS, "--yes")

    assert list(Event.objects.values_list("kind", "account", "about", "detail")) == [
        ("erased", None, account.pk, ""),
        ("signed-in", account.pk, None, ""),
    ]
    assert not EventAddress.objects.exists()


def test_erase_takes_former_addresses_of_the_account(account: Account) -> None:
    account.email = "new@example.org"
    account.save()
    make_report()

    run("gdpr_erase", "new@example.org", "--yes")

    assert ADDRESS not in dump()


def test_erase_keeps_a_former_address_that_another_account_has_now(account: Account) -> None:
    account.email = "new@example.org"
    account.save()
    successor = make_account(email=ADDRESS)
    make_report()

    run("gdpr_erase", "new@example.org", "--yes")

    successor.refresh_from_db()
    assert (successor.email, successor.is_active) == (ADDRESS, True)
    assert ProblemReport.objects.get().reply_address == ADDRESS


def test_erase_of_a_former_address_leaves_the_account(account: Account) -> None:
    account.email = "new@example.org"
    account.save()

    run("gdpr_erase", ADDRESS, "--yes")

    account.refresh_from_db()
    assert (account.email, account.is_active) == ("new@example.org", True)
    assert where() == set()


def test_erase_deletes_invitations_and_waiting_claims() -> None:
    make_invitation()
    waiting = make_claim()
    decided = make_claim(state=ClaimState.APPROVED, decided_at=NOW)

    run("gdpr_erase", ADDRESS, "--yes")

    assert not Invitation.objects.exists()
    assert list(Claim.objects.all()) == [decided]
    assert waiting.history.latest().history_type == "-"
    assert where() == set()


def test_erase_deletes_mails_to_the_address_and_those_answered_to_it() -> None:
    make_mail(to=ADDRESS)
    make_mail(to=ADDRESS.upper(), state="failed", error="x")
    make_mail(reply_to=ADDRESS)
    other = make_mail(text=f"Invited by {ADDRESS}.")

    assert ("clusters.mail", "to") in where()
    run("gdpr_erase", ADDRESS, "--yes")

    assert [(mail.pk, mail.text) for mail in Mail.objects.all()] == [
        (other.pk, "Invited by [erased].")
    ]


def test_erase_shows_an_emptied_address_no_longer() -> None:
    organisation = make_organisation(role_address=ADDRESS, is_address_shown=True)

    run("gdpr_erase", ADDRESS, "--yes")

    organisation.refresh_from_db()
    assert (organisation.role_address, organisation.is_address_shown) == ("", False)


def test_erase_keeps_the_words_around_a_mention() -> None:
    make_report(text=f"Ask {ADDRESS}, not the.{ADDRESS}.")

    run("gdpr_erase", ADDRESS, "--yes")

    assert ProblemReport.objects.get().text == f"Ask [erased], not the.{ADDRESS}."


def test_erase_leaves_others_as_they_are() -> None:
    make_report(reply_address="other@example.org")
    other = make_account(email="other@example.org")
    before = ProblemReport.objects.values().get(), Account.objects.values().get(pk=other.pk)
    make_report()

    run("gdpr_erase", ADDRESS, "--yes")

    first = ProblemReport.objects.earliest("pk")
    assert before == (
        ProblemReport.objects.values().get(pk=first.pk),
        Account.objects.values().get(pk=other.pk),
    )


def test_erase_is_half_done_never(account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_arguments: object, **_options: object) -> None:
        raise RuntimeError

    before = dump()
    monkeypatch.setattr("config.privacy.erasing.record", fail)

    with pytest.raises(RuntimeError):
        erase_address(ADDRESS, now=NOW)

    assert dump() == before


@pytest.fixture
def last_owner() -> TeamMember:
    return make_team_member(
        account=make_account(email=ADDRESS), organisation=make_organisation(name="Park")
    )


def test_erase_refuses_to_leave_a_profile_without_an_owner(last_owner: TeamMember) -> None:
    before = dump()

    with pytest.raises(CommandError, match="left without an owner"):
        run("gdpr_erase", ADDRESS, "--yes")

    assert dump() == before


def test_erase_tells_of_profiles_that_would_have_no_owner(last_owner: TeamMember) -> None:
    assert "Nobody else owns the profile of Park." in run("gdpr_erase", ADDRESS)


def test_erase_leaves_a_profile_without_an_owner_when_told_to(last_owner: TeamMember) -> None:
    run("gdpr_erase", ADDRESS, "--yes", "--leave-without-owner")

    assert not TeamMember.objects.exists()
    assert where() == set()


@pytest.mark.parametrize(
    ("fields", "is_orphaned"),
    [
        pytest.param({"role": TeamRole.OWNER}, False, id="another owner"),
        pytest.param({"role": TeamRole.EDITOR}, True, id="an editor only"),
    ],
)
def test_colleague_keeps_a_profile(
    last_owner: TeamMember, fields: dict[str, Any], is_orphaned: bool
) -> None:
    make_team_member(organisation=last_owner.organisation, **fields)

    assert bool(erase_address(ADDRESS, now=NOW, dry_run=True).orphaned) == is_orphaned


def test_disabled_owner_keeps_no_profile(last_owner: TeamMember) -> None:
    disabled = make_account(is_active=False)
    make_team_member(organisation=last_owner.organisation, account=disabled)

    assert erase_address(ADDRESS, now=NOW, dry_run=True).orphaned == ["Park"]


# Nothing is left


def make_one_of_everything() -> None:
    management = make_management()
    label = make_label(cluster=management.cluster)
    make_participation(cluster=management.cluster)
    make_announcement(clusters=[management.cluster], labels=[label], box="Box")
    make_invitation(email="other@example.org")
    make_claim(role_address="other@example.org")
    make_report(reply_address="other@example.org")


def plant(address: str) -> list[str]:
    """Write the address into every text field that takes it, of two rows; the fields' names."""
    planted = []
    for model in stored_models():
        if model is Event:  # the database refuses; `record` leaves addresses out
            continue
        for column in free_text_fields(model):
            length = getattr(column, "max_length", None)
            takes = isinstance(column, models.EmailField) or (
                not column.choices and not isinstance(column, models.JSONField)
            )
            if not takes or (length and length < len(address) + 10):
                continue
            is_filled = False
            for row in model._base_manager.order_by("pk")[:2]:
                text = f"{row.pk}: {address}!"
                value = address if isinstance(column, models.EmailField) else text
                if column.unique and isinstance(column, models.EmailField):
                    continue
                # Some texts go with another field only, as the reason of a revocation.
                with suppress(IntegrityError), transaction.atomic():
                    model._base_manager.filter(pk=row.pk).update(**{column.attname: value})
                    is_filled = True
            if is_filled:
                planted.append(f"{model._meta.label_lower}.{column.name}")
    return planted


def test_nothing_is_left_after_erasing(account: Account) -> None:
    make_one_of_everything()
    planted = plant(ADDRESS)
    assert len(planted) > 100
    assert {
        "clusters.historicalproblemreport.text",
        "clusters.cluster.contact_address",
        "news.announcementtext.body",
        "admin.logentry.change_message",
    } <= set(planted)
    assert ADDRESS in dump()

    run("gdpr_erase", ADDRESS, "--yes", "--leave-without-owner")

    assert find_address(ADDRESS) == []
    assert [line for line in dump().splitlines() if ADDRESS in line] == []


@pytest.mark.parametrize("name", ["source", "certificate_number", "areas_of_improvement"])
def test_public_label_loses_the_address(name: str) -> None:
    label = make_label(level="silver", **{name: f"Ask {ADDRESS}."})

    erase_address(ADDRESS, now=NOW)

    label = Label.objects.get(pk=label.pk)
    assert getattr(label, name) == "Ask [erased]."
    assert label.decision is not None
    assert label.decision.reason == "An address was erased."


def test_revoked_label_loses_the_address() -> None:
    label = make_label(valid_until="2030")
    change_label(label, revoked_on=date(2026, 1, 2), revocation_reason=f"Told by {ADDRESS}.")

    erase_address(ADDRESS, now=NOW)

    label = Label.objects.get(pk=label.pk)
    assert (label.revoked_on, label.revocation_reason) == (date(2026, 1, 2), "Told by [erased].")


def test_revoked_label_changes_in_nothing_else() -> None:
    label = make_label(valid_until="2030")
    change_label(label, revoked_on=date(2026, 1, 2), revocation_reason="Closed.")
    decision = made_decision(label, DecisionKind.CORRECTION, date(2026, 1, 3))
    changes: list[dict[str, Any]] = [
        {"score": 99, "decision": decision},
        {"revocation_reason": "Another."},
        {"source": "Another."},
    ]

    for change in changes:
        with pytest.raises(IntegrityError, match=r"revoked|two persons"), transaction.atomic():
            Label.objects.filter(pk=label.pk).update(**change)


@pytest.mark.parametrize("state", ["made", "refused"])
def test_changes_of_a_decision_lose_the_address(state: str) -> None:
    changes = {"source": ["", f"Ask {ADDRESS}."]}
    decision = made_decision(
        make_label(),
        DecisionKind.CORRECTION,
        date(2026, 1, 3),
        state=state,
        answer="No." if state == "refused" else "",
        changes=changes,
    )

    erase_address(ADDRESS, now=NOW)

    decision.refresh_from_db()
    assert (decision.state, decision.changes) == (state, {"source": ["", "Ask [erased]."]})


def test_proposal_of_the_address_is_refused() -> None:
    decision = made_decision(
        make_label(),
        DecisionKind.CORRECTION,
        date(2026, 1, 3),
        state="proposed",
        decided_at=None,
        changes={"source": ["", f"Ask {ADDRESS}."]},
    )
    with pytest.raises(IntegrityError, match="decided"), transaction.atomic():
        Decision.objects.filter(pk=decision.pk).update(changes={})

    erase_address(ADDRESS, now=NOW)

    decision.refresh_from_db()
    assert (decision.state, decision.answer) == ("refused", "An address was erased.")
    assert decision.changes == {"source": ["", "Ask [erased]."]}


def test_every_text_field_can_be_cleared() -> None:
    for model in stored_models():
        for column in free_text_fields(model):
            if isinstance(column, models.JSONField):
                assert without_mention(
                    column, {"a": [ADDRESS]}, mention_pattern({ADDRESS}), key=1
                ) == {"a": ["[erased]"]}
            else:
                value = without_mention(column, ADDRESS, mention_pattern({ADDRESS}), key=1)
                assert ADDRESS not in value
                assert len(value) <= (column.max_length or 1000)


def test_every_table_is_looked_at() -> None:
    """Beside sessions, which are read by themselves, what Django itself does not model, and the
    index of words, which the database makes from the tables that are looked at."""
    known = {model._meta.db_table for model in stored_models()} | {Session._meta.db_table}
    index = re.compile(r"(cluster|organisation|programme|announcement)_(document|vocab|indexed).*")

    others = {
        name
        for name in set(connection.introspection.table_names()) - known
        if not index.fullmatch(name) and name not in ("known_word", "country_word")
    }

    assert others <= {"django_migrations", "cache", "sqlite_sequence"}
    assert not {m._meta.db_table for m in apps.get_models(include_auto_created=True)} - known


# To take along


DATA = "/en/account/data/"


def test_account_takes_its_data_along(account: Account, client: Client) -> None:
    cluster = make_cluster()
    cluster._history_user = account  # type: ignore[attr-defined]
    cluster.save()
    make_invitation()
    make_claim()
    make_report()
    make_mail(to=ADDRESS, text="The message of another.")
    FormDraft.objects.create(account=account, address="/admin/", data="[]", saved_at=NOW)
    make_subscription(address=ADDRESS)
    SavedFilter.objects.create(account=account, model="clusters.cluster", name="I", query="q=i")

    response = client.post(DATA)

    assert response.status_code == 200
    assert response["Content-Disposition"] == 'attachment; filename="account-data.json"'
    assert "no-store" in response["Cache-Control"]
    data = response.json()
    page = (Path(settings.BASE_DIR) / "docs" / "privacy-data.md").read_text(encoding="utf-8")
    explained = re.findall(r"^\| `(\w+)` \| [^|]+ \|$", page, re.MULTILINE)
    assert sorted(data) == sorted(explained)
    assert data["account"]["email"] == ADDRESS
    assert data["account"]["roles"] == ["expert", "policy-maker"]
    assert [key for key in data if not data[key]] == []
    assert data["second_factors"][0]["type"] == "totp"
    assert data["expert"][0]["portfolios__code"] == portfolio().code
    assert data["events"][0]["address__network_address"] == "192.0.2.7"
    assert data["outbox"][0]["kind"] == "invitation"
    assert "The message of another." not in response.content.decode()
    assert [change["table"] for change in data["changes"]] == ["clusters.cluster"]


def test_data_hold_no_secret(account: Account, client: Client) -> None:
    content = client.post(DATA).content.decode()

    assert account.password not in content
    assert '"secret"' not in content
    assert str(client.session.session_key) not in content


def test_data_hold_nothing_of_others(account: Account, client: Client) -> None:
    make_report(reply_address="other@example.org")
    record(EventKind.SIGNED_IN, now=NOW, account=make_account(), network_address="192.0.2.99")

    content = client.post(DATA).content.decode()

    assert "other@example.org" not in content
    assert "192.0.2.99" not in content


def test_taking_data_along_is_logged(account: Account, client: Client) -> None:
    client.post(DATA)

    event = Event.objects.get(kind=EventKind.EXPORTED)
    assert (event.account, event.about, event.detail) == (account, account, "own data")


def test_data_are_not_given_by_a_get(account: Account, client: Client) -> None:
    assert client.get(DATA).status_code == 405
    assert not Event.objects.filter(kind=EventKind.EXPORTED).exists()


def test_data_are_not_given_to_a_visitor(client: Client) -> None:
    response = client.post(DATA)

    assert (response.status_code, response["Location"]) == (302, f"/en/account/login/?next={DATA}")


def test_organisation_keeps_its_name_when_an_address_goes() -> None:
    make_organisation(name="Park", role_address=ADDRESS)

    run("gdpr_erase", ADDRESS, "--yes")

    assert Organisation.objects.get().name == "Park"


@pytest.mark.parametrize("typed", ["reader@münchen.example", "Reader@XN--MNCHEN-3YA.example"])
def test_subscription_is_found_and_erased_in_any_spelling_of_its_domain(typed: str) -> None:
    make_subscription(address="reader@xn--mnchen-3ya.example")
    kept = make_subscription()

    found = [(place.table, place.field) for place in find_address(typed)]
    erase_address(typed, now=NOW)

    assert found == [("news.subscription", "address")]
    assert list(Subscription.objects.all()) == [kept]
