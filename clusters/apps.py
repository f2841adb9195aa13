from django.apps import AppConfig
from django.core.checks import Tags, register
from django.db.backends.signals import connection_created
from django.db.models.signals import post_migrate
from django.utils.translation import gettext_lazy as _


class ClustersConfig(AppConfig):
    name = "clusters"
    verbose_name = _("Clusters and organisations")

    def ready(self) -> None:
        from clusters.fields import define_normal_name
        from clusters.seeds import seed
        from clusters.triggers.definitions import check_definitions, register_rows
        from clusters.triggers.rows import ROWS

        register_rows(self, ROWS)
        connection_created.connect(define_normal_name)
        post_migrate.connect(seed, sender=self)
        register(check_definitions, Tags.database)
