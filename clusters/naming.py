"""How one person is called to another: by the address, or only by what they are."""

from collections.abc import Iterable

from django.db.models import Q
from django.utils.translation import gettext

from clusters import policy
from clusters.models import Account, TeamMember


def names_of(pks: Iterable[int | None], viewer: policy.Person) -> dict[int, str]:
    """A name for each account that there is: one query for who reads addresses, else three."""
    accounts = Account.objects.filter(pk__in={pk for pk in pks if pk is not None})
    if policy.reads_addresses_of_accounts(viewer) or not isinstance(viewer, Account):
        return dict(accounts.values_list("pk", "email"))
    of_the_secretariat = Q(is_superuser=True) | Q(groups__name__in=policy.SECRETARIAT_ROLES)
    secretariat = set(accounts.filter(of_the_secretariat).values_list("pk", flat=True))
    team = TeamMember.objects.filter(organisation__in=policy.teams_of(viewer), account__in=accounts)
    colleagues = set(team.values_list("account", flat=True))
    return {
        pk: gettext("you")
        if pk == viewer.pk
        else gettext("a colleague")
        if pk in colleagues
        else gettext("the secretariat")
        if pk in secretariat
        else gettext("somebody else")
        for pk in accounts.values_list("pk", flat=True)
    }
