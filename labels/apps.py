from django.apps import AppConfig
from django.core.checks import Tags, register
from django.db.models.signals import post_migrate
from django.utils.translation import gettext_lazy as _


class LabelsConfig(AppConfig):
    name = "labels"
    verbose_name = _("Label register")

    def ready(self) -> None:
        from clusters.triggers.definitions import register_rows
        from labels.models.triggers import ROWS
        from labels.proofs.signing import check_signing_keys
        from labels.seeds import seed_scheme

        register_rows(self, ROWS)
        post_migrate.connect(seed_scheme, sender=self)
        register(check_signing_keys, Tags.security, deploy=True)
