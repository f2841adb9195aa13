from django.apps import AppConfig, apps
from django.contrib import admin
from django.contrib.admin.apps import AdminConfig
from django.core.checks import Tags, register


class PortalConfig(AppConfig):
    """Holds what knows all apps; Django finds the commands by it."""

    name = "config"

    def ready(self) -> None:
        from clusters.fields import refuse_misleading_texts
        from config.private_files import check_private_files

        register(check_private_files, Tags.security, deploy=True)
        for label in ("clusters", "labels", "news"):
            refuse_misleading_texts(apps.get_app_config(label).get_models())


class PortalAdminConfig(AdminConfig):
    default_site = "config.admin.PortalAdminSite"

    def ready(self) -> None:
        # Roles are given to accounts, and a second factor is its owner's alone.
        super().ready()
        from allauth.account.models import EmailAddress
        from allauth.mfa.models import Authenticator
        from django.contrib.auth.models import Group

        admin.site.unregister([Group, EmailAddress, Authenticator])
