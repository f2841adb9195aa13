import os
import secrets
from typing import Any

from django.conf import settings
from django.contrib.auth.models import Group
from django.core.management.base import BaseCommand
from django.db import transaction

from clusters.models import Account, Role

# Two, because whoever proposes an award or a revocation does not approve it.
ADDRESSES = ("secretariat@example.org", "direction@example.org")


class Command(BaseCommand):
    help = (
        "Creates the demo's two accounts, leads of the secretariat: what one proposes, the other "
        "approves. DEMO_PASSWORD sets the password of both, also later; without it the first run "
        "draws one for each."
    )

    @transaction.atomic
    def handle(self, *args: Any, **options: Any) -> None:
        for address in ADDRESSES:
            self.show(address, password_of(address))
        if settings.REQUIRE_TWO_PERSONS:
            self.stdout.write("What one of them proposes about a label, the other approves.")
        if not settings.REQUIRE_SECOND_FACTOR:
            self.stdout.write(
                "The second factor is off here (REQUIRE_SECOND_FACTOR=False); "
                "elsewhere everyone who enters admin must enrol one."
            )

    def show(self, address: str, password: str) -> None:
        self.stdout.write(f"Sign in at {settings.SITE_URL}/admin/ as {address}.")
        self.stdout.write(
            f"Password: {password}"
            if password
            else "Its password was shown at the first run. A new one: DEMO_PASSWORD=… make demo"
        )


def password_of(address: str) -> str:
    # Empty where the account keeps its own.
    account, is_new = Account.objects.get_or_create(email=address)
    account.groups.add(Group.objects.get(name=Role.LEAD))
    password = os.environ.get("DEMO_PASSWORD") or (secrets.token_urlsafe(12) if is_new else "")
    # A new hash would end the sessions of whoever is signed in.
    if password and not (account.has_usable_password() and account.check_password(password)):
        account.set_password(password)
        account.save()
    return password
