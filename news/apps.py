from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class NewsConfig(AppConfig):
    name = "news"
    verbose_name = _("Announcements")

    def ready(self) -> None:
        from clusters.triggers.definitions import register_rows
        from news.models.triggers import ROWS

        register_rows(self, ROWS)
