"""What each stored field is to a person: one table, with how long it is kept.

Every field of every table stands here; a test fails for one that does not, and another holds
`docs/privacy-data.md` equal to it. The versions of a row (history tables) are classified as the
row. Models are named by their labels: this module imports none.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

CHANGE_DAYS = 7
NETWORK_ADDRESS_DAYS = 90
INVITATION_DAYS = 90
REPLY_ADDRESS_DAYS = 90
CLAIM_DAYS = 180
# Two years and a leap day: the database refuses to delete a younger line of the log.
EVENT_DAYS = ADMIN_LOG_DAYS = FORMER_ADDRESS_DAYS = 731
# What a team was told is looked up as long; a label that may still be renewed keeps its mails
# longer, or the next run would send them again.
DELIVERY_DAYS = 731


class Sensitivity(Enum):
    PUBLIC = "public"
    RESTRICTED = "role-restricted"
    PERSONAL = "personal"
    SECRET = "secret"  # noqa: S105


@dataclass(frozen=True)
class Rule:
    sensitivity: Sensitivity
    kept: str
    on_erasing: str


WITH_THE_RECORD = "as long as the record"
WITH_THE_ACCOUNT = "as long as the account"
MENTION_GOES = "stays; a mention of the address is replaced"

FACT = Rule(Sensitivity.PUBLIC, WITH_THE_RECORD, MENTION_GOES)
INTERNAL = Rule(Sensitivity.RESTRICTED, WITH_THE_RECORD, MENTION_GOES)
CONTACT = Rule(
    Sensitivity.PERSONAL,
    f"{WITH_THE_RECORD}; former ones {FORMER_ADDRESS_DAYS} days in its history",
    "emptied, and no longer shown",
)
ACCOUNT = Rule(Sensitivity.PERSONAL, WITH_THE_ACCOUNT, "stays with the nameless account")
BELONGING = Rule(Sensitivity.PERSONAL, WITH_THE_ACCOUNT, "the row is deleted")
CREDENTIAL = Rule(Sensitivity.SECRET, WITH_THE_ACCOUNT, "made unusable or deleted")
BY_ACCOUNT = Rule(Sensitivity.PERSONAL, WITH_THE_RECORD, "leads to the nameless account")
INVITED = Rule(
    Sensitivity.PERSONAL, f"{INVITATION_DAYS} days after it expired", "the row is deleted"
)
CLAIMED = Rule(
    Sensitivity.PERSONAL,
    f"{CLAIM_DAYS} days after the decision",
    "replaced; a claim that waits is deleted",
)
REPLY = Rule(Sensitivity.PERSONAL, f"{REPLY_ADDRESS_DAYS} days after closing", "emptied")
LOGGED = Rule(Sensitivity.RESTRICTED, f"{EVENT_DAYS} days", "stays; it holds no address")
LOGGED_PERSON = Rule(Sensitivity.PERSONAL, f"{EVENT_DAYS} days", "leads to the nameless account")
NETWORK = Rule(Sensitivity.PERSONAL, f"{NETWORK_ADDRESS_DAYS} days", "the row is deleted")
CHANGED = Rule(Sensitivity.PUBLIC, f"{CHANGE_DAYS} days", "stays; it holds no address")
SESSION = Rule(Sensitivity.SECRET, "until it expires, after 12 hours", "the row is deleted")
ADMIN_LOG = Rule(Sensitivity.RESTRICTED, f"{ADMIN_LOG_DAYS} days", MENTION_GOES)
ADMIN_LOG_PERSON = Rule(
    Sensitivity.PERSONAL, f"{ADMIN_LOG_DAYS} days", "leads to the nameless account"
)
MAILED = Rule(
    Sensitivity.RESTRICTED,
    f"{DELIVERY_DAYS} days, and as long as the label can be renewed",
    "stays; it holds no address",
)
MAILED_TO = Rule(
    Sensitivity.PERSONAL,
    f"{DELIVERY_DAYS} days, and as long as the label can be renewed",
    "leads to the nameless account",
)
SYSTEM = Rule(Sensitivity.RESTRICTED, "as long as the software needs it", "stays")

# The columns that a version of a row has beside the row's own.
VERSION = {
    **dict.fromkeys(
        ("history_id", "history_date", "history_change_reason", "history_type"), INTERNAL
    ),
    **dict.fromkeys(("history", "m2m_history_id"), INTERNAL),
    "history_user": BY_ACCOUNT,
}

Table = Mapping[Rule, str]

FIELDS: Mapping[str, Table] = {
    "clusters.portfolio": {FACT: "id name_en name_it code"},
    "clusters.region": {FACT: "id code name other_names country"},
    "clusters.organisation": {
        FACT: "id public_id slug name kind legal_form country region town website vat_number lei "
        "confirmed_on",
        INTERNAL: "is_address_shown is_published",
        CONTACT: "role_address",
    },
    "clusters.organisationname": {FACT: "id organisation name started_on ended_on"},
    "clusters.shareholding": {FACT: "id organisation shareholder started_on ended_on source"},
    "clusters.cluster": {
        FACT: "id public_id slug name state portfolio country region town latitude longitude "
        "founded_on website eccp_url logo confirmed_on",
        INTERNAL: "is_contact_shown is_published",
        CONTACT: "contact_address",
    },
    "clusters.clustername": {FACT: "id cluster name kind started_on ended_on"},
    "clusters.clustertext": {FACT: "id cluster language tagline description"},
    "clusters.management": {FACT: "id cluster organisation role started_on ended_on source"},
    "clusters.lineage": {FACT: "id cluster kind other happened_on source"},
    "clusters.membershipcount": {FACT: "id cluster counted_on kind count source"},
    "clusters.programme": {
        FACT: "id name_en name_it public_id slug owner country region description_en "
        "description_it website started_on ended_on",
        INTERNAL: "is_published",
    },
    "clusters.participation": {FACT: "id programme cluster started_on ended_on"},
    "clusters.account": {
        ACCOUNT: "id is_superuser language is_active created_at",
        Rule(
            Sensitivity.PERSONAL,
            f"{WITH_THE_ACCOUNT}; former ones {FORMER_ADDRESS_DAYS} days in its history",
            "replaced by a nameless one",
        ): "email",
        CREDENTIAL: "password session_number",
    },
    "clusters.account_groups": {BELONGING: "id account group"},
    "clusters.account_user_permissions": {BELONGING: "id account permission"},
    "clusters.teammember": {BELONGING: "id organisation account role joined_at"},
    "clusters.mandate": {BELONGING: "id account programme"},
    "clusters.invitation": {
        INVITED: "id email organisation team_role role programme language created_at expires_at "
        "accepted_at withdrawn_at",
        BY_ACCOUNT: "invited_by",
    },
    "clusters.claim": {
        INTERNAL: "id organisation language state answer created_at decided_at",
        CLAIMED: "role_address reason",
        BY_ACCOUNT: "decided_by",
    },
    "clusters.confirmationrequest": {INTERNAL: "id organisation due_on sent_at confirmed_at"},
    "clusters.problemreport": {
        FACT: "kind record_id record_name path is_logged correction_en correction_it closed_at",
        INTERNAL: "id text language state answer created_at",
        REPLY: "reply_address",
        BY_ACCOUNT: "closed_by",
    },
    "clusters.event": {LOGGED: "id happened_at kind detail", LOGGED_PERSON: "account about"},
    "clusters.eventaddress": {NETWORK: "id event network_address typed_address"},
    "labels.expert": {BELONGING: "id account country languages accredited_on"},
    "labels.expert_portfolios": {BELONGING: "id expert portfolio"},
    "labels.level": {FACT: "name_en name_it code rank official_wording process_en process_it"},
    "labels.levelrule": {
        FACT: "id level effective_from first_months renewal_months ends_at_month_end "
        "renewal_window_months experts minimum_score areas_of_improvement is_confirmed note_en "
        "note_it"
    },
    "labels.issuingbody": {FACT: "id code short_name name website"},
    "labels.issuingbodyrole": {FACT: "id body role started_on ended_on"},
    "labels.indicatorset": {FACT: "id name_en name_it level version is_official note_en note_it"},
    "labels.indicator": {
        FACT: "id name_en name_it set number dimension maximum weight threshold "
        "is_minimum_requirement"
    },
    "labels.statement": {
        FACT: "id as_of_on definition_en definition_it count is_more_than detail_en detail_it "
        "source"
    },
    "labels.label": {
        FACT: "id public_id certificate_number cluster managing_organisation level kind renews "
        "assessed_on awarded_on announced_on valid_until awarded_by score source revoked_on "
        "revocation_reason starts_on ends_on renewable_until start_is_computed end_is_computed "
        "rule minimum_score extended_until transferred_on transferred_from decided_here "
        "status_index",
        INTERNAL: "is_published benchmarked_on areas_of_improvement end_is_exact days_are_exact",
    },
    "labels.suspension": {FACT: "id label starts_on ends_on reason"},
    "labels.decision": {
        FACT: "id label kind takes_effect_on reason ends_on organisation_before organisation_after",
        INTERNAL: "state needs_two proposed_at decided_at answer",
        BY_ACCOUNT: "proposed_by decided_by",
    },
    "labels.requiredlevel": {FACT: "id programme level required_from required_until source"},
    "labels.notice": {INTERNAL: "id label kind due_on answer answered_at"},
    "labels.delivery": {
        MAILED: "id notice week_from begun_at sent_at failed_at failure",
        MAILED_TO: "account",
    },
    "news.announcement": {
        FACT: "id public_id published_at picture written_by contact_organisation",
        INTERNAL: "is_published",
    },
    "news.announcement_clusters": {FACT: "id announcement cluster"},
    "news.announcement_organisations": {FACT: "id announcement organisation"},
    "news.announcement_labels": {FACT: "id announcement label"},
    "news.announcement_programmes": {FACT: "id announcement programme"},
    "news.announcement_statements": {FACT: "id announcement statement"},
    "news.announcementtext": {
        FACT: "id announcement language title slug lead body box_title box picture_alt "
        "picture_credit contact_role"
    },
    "clusters.change": {CHANGED: "id kind key changed_at"},
    "account.emailaddress": {BELONGING: "id user email verified primary"},
    "account.emailconfirmation": {CREDENTIAL: "id email_address created sent key"},
    "mfa.authenticator": {BELONGING: "id user type created_at last_used_at", CREDENTIAL: "data"},
    "sessions.session": {SESSION: "session_key session_data expire_date"},
    "admin.logentry": {
        ADMIN_LOG: "id action_time content_type object_id object_repr action_flag change_message",
        ADMIN_LOG_PERSON: "user",
    },
    "auth.permission": {SYSTEM: "id name content_type codename"},
    "auth.group": {SYSTEM: "id name"},
    "auth.group_permissions": {SYSTEM: "id group permission"},
    "contenttypes.contenttype": {SYSTEM: "id app_label model"},
}

# Rows that are an account's own: erasing the account deletes them.
FALLING_WITH_AN_ACCOUNT = (
    "clusters.teammember",
    "clusters.mandate",
    "labels.expert",
    "account.emailaddress",
    "mfa.authenticator",
)
# Addresses that are shown only where a second field says so.
SHOWN_BY = {
    ("clusters.organisation", "role_address"): "is_address_shown",
    ("clusters.cluster", "contact_address"): "is_contact_shown",
}


def rules_of(label: str) -> dict[str, Rule]:
    """The rule of each field that the table, or the table of its versions, has here."""
    row_label = label_of_the_row(label)
    rules = {
        name: rule for rule, names in FIELDS.get(row_label, {}).items() for name in names.split()
    }
    return rules if row_label == label or not rules else rules | VERSION


def label_of_the_row(label: str) -> str:
    """`clusters.historicalcluster` keeps the versions of `clusters.cluster`."""
    return label.replace(".historical", ".", 1)


def as_markdown() -> str:
    lines = ["| table | field | is | kept | erasing |", "| --- | --- | --- | --- | --- |"]
    for label, table in FIELDS.items():
        for rule, names in table.items():
            fields = ", ".join(f"`{name}`" for name in names.split())
            lines.append(
                f"| `{label}` | {fields} | {rule.sensitivity.value} | {rule.kept} "
                f"| {rule.on_erasing} |"
            )
    return "\n".join(lines) + "\n"
