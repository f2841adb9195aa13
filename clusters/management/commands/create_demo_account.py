import os
import secrets
from typing import Any

from django.conf import settings
from django.contrib.auth.models import Group, Permission, User
from django.core.management.base import BaseCommand
from django.db import transaction

NAME = "secretariat"
APPS = ("clusters", "labels", "news")


class Command(BaseCommand):
    help = (
        "Creates the demo's secretariat account, which may edit everything that the portal shows. "
        "DEMO_PASSWORD sets its password, also later; without it the first run draws one."
    )

    @transaction.atomic
    def handle(self, *args: Any, **options: Any) -> None:
        user, is_new = User.objects.get_or_create(
            username=NAME, defaults={"is_staff": True, "email": f"{NAME}@example.org"}
        )
        user.groups.add(secretariat())
        password = os.environ.get("DEMO_PASSWORD") or (secrets.token_urlsafe(12) if is_new else "")
        if password and not (user.has_usable_password() and user.check_password(password)):
            user.set_password(password)
            user.save()
        self.stdout.write(f"Sign in at {settings.SITE_URL}/admin/ as {NAME}.")
        self.stdout.write(
            f"Password: {password}"
            if password
            else "Its password was shown at the first run. A new one: DEMO_PASSWORD=… make demo"
        )


def secretariat() -> Group:
    """The group with every permission on the portal's models; history is not theirs to change."""
    group, _is_new = Group.objects.get_or_create(name=NAME)
    permissions = Permission.objects.filter(content_type__app_label__in=APPS)
    group.permissions.set(permissions.exclude(content_type__model__startswith="historical"))
    return group
