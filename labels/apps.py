from django.apps import AppConfig
from django.db.models.signals import post_migrate
from django.utils.translation import gettext_lazy as _


class LabelsConfig(AppConfig):
    name = "labels"
    verbose_name = _("Label register")

    def ready(self) -> None:
        from labels.reference import seed

        post_migrate.connect(seed, sender=self)
