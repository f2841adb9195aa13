"""Every path by which the portal could write: declared as harmless to labels, or with its way.

What is new is in no rule and no line here, and so is found.
"""

from collections.abc import Callable, Iterator
from http import HTTPStatus
from typing import Any

from django.contrib import admin
from django.core.management import get_commands
from django.test import Client
from django.urls import get_resolver, reverse

from config.api.requests import api
from news.workflow.refusals import AnnouncementStep
from tests.addresses import walk
from tests.labels.facts import ways

# What is said of a path: the way that tries it, or that it changes no label.
NOTHING = "changes no label"
Way = Callable[..., Any] | str

# Apps and models of which no row is a label or holds its facts. A cluster says whether its labels
# are public; the rules of a level have a matrix of their own (tests/labels/admin/test_labels.py).
OTHER_MODELS = (
    "clusters_account", "clusters_claim", "clusters_cluster", "clusters_clustername",
    "clusters_clustertext", "clusters_confirmationrequest", "clusters_event",
    "clusters_factsource", "clusters_invitation", "clusters_lineage", "clusters_management",
    "clusters_mandate", "clusters_membershipcount", "clusters_organisation",
    "clusters_organisationname", "clusters_participation", "clusters_portfolio",
    "clusters_problemreport", "clusters_programme", "clusters_region", "clusters_shareholding",
    "clusters_teammember", "labels_delivery", "labels_expert", "labels_indicator",
    "labels_indicatorset", "labels_issuingbody", "labels_issuingbodyrole", "labels_labelsource",
    "labels_level", "labels_levelrule", "labels_notice", "labels_requiredlevel",
    "labels_statement", "clusters_mail", "labels_rulechange", "news_announcement",
    "news_announcementtext", "news_correction", "news_reviewcomment",
    "news_subscription", "news_topic",
    "news_picture", "news_attachment",
)  # fmt: skip
PAGES_OF_A_MODEL = (
    "add", "change", "changelist", "delete", "history", "simple_history", "restore", "import",
    "process_import", "export", "template",
)  # fmt: skip
ADDRESSES: dict[str, Way] = {
    **{f"admin:{model}_{page}": NOTHING for model in OTHER_MODELS for page in PAGES_OF_A_MODEL},
    "admin:clusters_cluster_change": ways.by_cluster,
    "admin:clusters_cluster_changelist": ways.by_cluster,
    "admin:clusters_cluster_delete": ways.by_cluster,
    "admin:clusters_cluster_simple_history": ways.by_cluster,
    "admin:clusters_cluster_restore": ways.by_cluster,
    "admin:clusters_cluster_import": ways.by_cluster,
    "admin:clusters_cluster_process_import": ways.by_cluster,
    "admin:labels_label_add": ways.by_adding,
    "admin:labels_label_change": ways.by_form,
    "admin:labels_label_changelist": NOTHING,  # its actions are below
    "admin:labels_label_delete": ways.by_deleting,
    "admin:labels_label_history": NOTHING,
    "admin:labels_label_simple_history": ways.by_restoring,
    "admin:labels_label_restore": NOTHING,  # 403: tests/permissions
    "admin:labels_label_import": ways.by_import,
    "admin:labels_label_process_import": ways.by_import,
    "admin:labels_label_export": NOTHING,
    "admin:labels_label_template": NOTHING,
    **{f"admin:labels_label_{slug}": ways.by_steps for slug in ways.SENT},
    **{f"admin:news_announcement_{step}": NOTHING for step in AnnouncementStep},
    "admin:labels_decision_add": NOTHING,  # nobody may: tests/permissions
    "admin:labels_decision_change": NOTHING,
    "admin:labels_decision_changelist": ways.by_the_proposer,
    "admin:labels_decision_delete": ways.by_deleting,
    "admin:labels_decision_history": NOTHING,
    "admin:labels_decision_simple_history": NOTHING,
    "admin:labels_decision_restore": NOTHING,
    "admin:labels_decision_approve": ways.by_the_proposer,
    "admin:labels_decision_refuse": NOTHING,  # it leaves the label as it is
    "admin:labels_decision_annul": ways.by_steps,
    # Their own matrix: tests/labels/life/test_rules.py.
    "admin:labels_rulechange_approve": NOTHING,
    "admin:labels_rulechange_refuse": NOTHING,
    "admin:labels_suspension_add": NOTHING,
    "admin:labels_suspension_change": NOTHING,
    "admin:labels_suspension_changelist": NOTHING,
    "admin:labels_suspension_delete": ways.by_deleting,
    "admin:labels_suspension_history": NOTHING,
    "admin:labels_suspension_simple_history": NOTHING,
    "admin:labels_suspension_restore": NOTHING,
    **{
        f"admin:{name}": NOTHING
        for name in (
            "None", "app_list", "autocomplete", "form_draft", "index", "jsi18n", "login", "logout",
            "password_change", "password_change_done", "search", "set_language", "suggest",
            "keep_filter",
            "news_announcement_preview", "news_announcement_preview_new", "news_announcement_paste",
        )
    },
}  # fmt: skip

ACTIONS: dict[str, Way] = {
    "clusters.cluster publish": NOTHING,  # its labels had their decisions
    "clusters.cluster unpublish": ways.by_cluster,
    "clusters.cluster confirm": NOTHING,
    "clusters.cluster download_clusters": NOTHING,
    "clusters.organisation publish": NOTHING,
    "clusters.organisation unpublish": NOTHING,
    "clusters.organisation confirm": NOTHING,
    "clusters.programme publish": NOTHING,
    "clusters.programme unpublish": NOTHING,
    "clusters.programme download_programmes": NOTHING,
    "clusters.event download": NOTHING,
    "clusters.invitation withdraw": NOTHING,
    "labels.decision approve_selected": ways.by_the_proposer,
    "labels.label export_admin_action": NOTHING,
    "clusters.mail send_again": NOTHING,
    "news.announcement publish": NOTHING,
    "news.announcement withdraw_several": NOTHING,
    # Of rows that the person may delete, which labels, suspensions and decisions are not.
    **{
        f"{model.replace('_', '.')} delete_selected": NOTHING
        for model in OTHER_MODELS
        if model not in ("clusters_cluster", "clusters_organisation", "clusters_programme")
    },
    "labels.suspension delete_selected": ways.by_deleting,
}

# Those that show rows of labels; all others are of what OTHER_MODELS names.
INLINES: dict[str, Way] = {
    "labels.label SuspensionInline": ways.by_form,
    "labels.label LabelSourceInline": NOTHING,
    "clusters.cluster LabelInline": ways.by_cluster,
}

RESOURCES: dict[str, Way] = {
    "labels.label": ways.by_import,
    "clusters.cluster": ways.by_cluster,
    "clusters.organisation": NOTHING,
    "clusters.programme": NOTHING,
    "clusters.clustertext": NOTHING,
    "clusters.management": NOTHING,
    "clusters.membershipcount": NOTHING,
}

# The operator's, who is trusted: what there is of a label stays as it is.
COMMANDS: dict[str, Way] = {
    "export_snapshot": NOTHING,
    "gdpr_erase": NOTHING,
    "gdpr_find": NOTHING,
    "load_demo": "refuses a register that holds anything",
    "purge": NOTHING,
    "create_signing_key": NOTHING,
    "import_register": "adds what is not there: test_register_file_changes_no_label",
    "preview_rule": NOTHING,
    "register_counts": NOTHING,
    "export_news": NOTHING,
    "import_news": NOTHING,
    "send_digests": NOTHING,
    "send_notices": NOTHING,
    "create_demo_account": NOTHING,
    "rebuild_search": NOTHING,
    "send_confirmations": NOTHING,
    "send_mail": NOTHING,
}
OWN_APPS = ("clusters", "config", "labels", "news")

# The only one that takes a body: it answers questions.
OPERATIONS: dict[str, Way] = {"POST /verify": NOTHING}

# Public addresses whose view takes POST: forms of reports, messages, accounts, and verification.
PUBLIC_POSTS = frozenset(
    {
        "clusters:account", "clusters:account_leave_team", "clusters:cluster_contact",
        "clusters:cluster_report", "clusters:confirm_profile", "clusters:invitation_accept",
        "clusters:organisation_claim", "clusters:organisation_contact",
        "clusters:organisation_report", "clusters:programme_report", "labels:notice",
        "labels:report", "labels:verify", "news:confirm_subscription", "news:contact",
        "news:report", "news:subscribe", "news:subscription", "news:unsubscribe",
    }
)  # fmt: skip


# Of django-allauth, which knows accounts only.
OF_ACCOUNTS = ("account", "mfa_")
ARGUMENTS: dict[str, Any] = {
    "key": 1,
    "year": 2015,
    "month": "09",
    "pk": 1,
    "language": "en",
    "purpose": "revocation",
}


def unknown_paths() -> Iterator[str]:
    yield from sorted(addresses() - ADDRESSES.keys())
    yield from sorted(actions() - ACTIONS.keys())
    yield from sorted(inlines() - INLINES.keys())
    yield from sorted(resources() - RESOURCES.keys())
    yield from sorted(commands() - COMMANDS.keys())
    yield from sorted(operations() - OPERATIONS.keys())
    yield from sorted(public_posts() - PUBLIC_POSTS)


def addresses() -> set[str]:
    names = {address.name for address in walk(get_resolver().url_patterns)}
    return {name for name in names if name.startswith("admin:")}


def public_posts() -> set[str]:
    """The public addresses that do not answer a POST with 405, whatever they are about."""
    found = set()
    for address in walk(get_resolver().url_patterns):
        if address.name == "api" or address.name.startswith(("admin:", *OF_ACCOUNTS)):
            continue
        given = {name: ARGUMENTS.get(name, "x") for name in address.arguments}
        answer = Client(raise_request_exception=False).post(reverse(address.name, kwargs=given))
        if answer.status_code != HTTPStatus.METHOD_NOT_ALLOWED:
            found.add(address.name)
    return found


def actions() -> set[str]:
    found = set()
    for model, model_admin in admin.site._registry.items():
        given: Any = model_admin
        for action in given._get_base_actions():
            found.add(f"{model._meta.label_lower} {action[1]}")
    return found


def inlines() -> set[str]:
    return {
        f"{model._meta.label_lower} {inline.__name__}"
        for model, model_admin in admin.site._registry.items()
        for inline in model_admin.inlines
        if inline.model._meta.label_lower.replace(".", "_") not in OTHER_MODELS
        or model._meta.label_lower == "labels.label"
    }


def resources() -> set[str]:
    return {
        model._meta.label_lower
        for model, model_admin in admin.site._registry.items()
        if getattr(model_admin, "resource_classes", None)
    }


def commands() -> set[str]:
    return {name for name, app in get_commands().items() if app in OWN_APPS}


def operations() -> set[str]:
    return {
        f"{method} {path}"
        for _prefix, router in api._routers
        for path, view in router.path_operations.items()
        for operation in view.operations
        for method in operation.methods
        if method not in ("GET", "HEAD")
    }
