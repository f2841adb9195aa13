from django.apps import AppConfig
from django.db.models.signals import post_migrate
from django.utils.translation import gettext_lazy as _


class ClustersConfig(AppConfig):
    name = "clusters"
    verbose_name = _("Clusters and organisations")

    def ready(self) -> None:
        from clusters.seeds import seed

        post_migrate.connect(seed, sender=self)
