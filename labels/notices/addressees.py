"""Who is told of a label: the people who answer for its cluster on a day."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from django.utils.crypto import salted_hmac

from clusters.models import Account, Cluster, Management, Organisation, TeamMember, TeamRole
from labels.models import Label

# Of the links in mails: it stays, whatever the module is called.
SALT = "labels.addressees"


@dataclass(frozen=True)
class Addressee:
    """`account` None: the address of an organisation, or without one of the cluster itself."""

    address: str
    language: str
    account: Account | None
    organisation: Organisation | None

    @property
    def account_id(self) -> int | None:
        return self.account.pk if self.account else None

    @property
    def bond(self) -> str:
        # What a link is bound to: this account, or this address.
        person = self.account_id or self.address
        return salted_hmac(SALT, f"{person}", algorithm="sha256").hexdigest()[:16]


def addressees_of(labels: Iterable[Label], day: date) -> dict[int, list[Addressee]]:
    """By label key: the active owners of the organisations that manage its cluster that day.

    Without one the address of the first organisation that has one, the lead before others; then
    that of the cluster; then nobody. Two queries; wants labels with their clusters.
    """
    labels = list(labels)
    managers: dict[int, list[Organisation]] = {label.cluster_id: [] for label in labels}
    managements = Management.objects.on(day).filter(
        cluster__in=list(managers), organisation__is_published=True
    )
    for management in managements.select_related("organisation"):
        managers[management.cluster_id].append(management.organisation)
    owners: dict[int, list[Account]] = {}
    organisations = {organisation.pk for found in managers.values() for organisation in found}
    members = TeamMember.objects.filter(
        organisation__in=organisations, role=TeamRole.OWNER, account__is_active=True
    )
    for member in members.select_related("account"):
        owners.setdefault(member.organisation_id, []).append(member.account)
    return {
        label.pk: among_owners(managers[label.cluster_id], owners)
        or among_addresses(managers[label.cluster_id], label.cluster)
        for label in labels
    }


def among_owners(
    managers: Iterable[Organisation], owners: dict[int, list[Account]]
) -> list[Addressee]:
    # Each account once, for the first of its organisations.
    found: dict[int, Addressee] = {}
    for organisation in managers:
        for account in owners.get(organisation.pk, []):
            addressee = Addressee(account.email, account.language, account, organisation)
            found.setdefault(account.pk, addressee)
    return list(found.values())


def among_addresses(managers: Iterable[Organisation], cluster: Cluster) -> list[Addressee]:
    for organisation in managers:
        if organisation.role_address:
            language = language_in(organisation.country)
            return [Addressee(organisation.role_address, language, None, organisation)]
    if not cluster.contact_address:
        return []
    return [Addressee(cluster.contact_address, language_in(cluster.country), None, None)]


def language_in(country: object) -> str:
    return "it" if country == "IT" else "en"
