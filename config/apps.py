from django.apps import AppConfig
from django.contrib import admin
from django.contrib.admin.apps import AdminConfig


class PortalConfig(AppConfig):
    """Holds what knows all apps; Django finds the commands by it."""

    name = "config"


class PortalAdminConfig(AdminConfig):
    default_site = "config.admin.PortalAdminSite"

    def ready(self) -> None:
        # Roles are given to accounts, and a second factor is its owner's alone.
        super().ready()
        from allauth.account.models import EmailAddress
        from allauth.mfa.models import Authenticator
        from django.contrib.auth.models import Group

        admin.site.unregister([Group, EmailAddress, Authenticator])
