import os
import secrets
from typing import Any

from django.conf import settings
from django.contrib.auth.models import Group
from django.core.management.base import BaseCommand
from django.db import transaction

from clusters.models import Account, Role

ADDRESS = "secretariat@example.org"


class Command(BaseCommand):
    help = (
        "Creates the demo's account, a lead of the secretariat. "
        "DEMO_PASSWORD sets its password, also later; without it the first run draws one."
    )

    @transaction.atomic
    def handle(self, *args: Any, **options: Any) -> None:
        account, is_new = Account.objects.get_or_create(email=ADDRESS)
        account.groups.add(Group.objects.get(name=Role.LEAD))
        password = os.environ.get("DEMO_PASSWORD") or (secrets.token_urlsafe(12) if is_new else "")
        if password and not (account.has_usable_password() and account.check_password(password)):
            account.set_password(password)
            account.save()
        self.stdout.write(f"Sign in at {settings.SITE_URL}/admin/ as {ADDRESS}.")
        self.stdout.write(
            f"Password: {password}"
            if password
            else "Its password was shown at the first run. A new one: DEMO_PASSWORD=… make demo"
        )
        if not settings.REQUIRE_SECOND_FACTOR:
            self.stdout.write(
                "The second factor is off here (REQUIRE_SECOND_FACTOR=False); "
                "elsewhere everyone who edits must enrol one."
            )
