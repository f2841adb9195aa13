"""The admin site of the portal, with a dashboard of what needs attention."""

from django.contrib.admin import AdminSite
from django.utils.translation import gettext_lazy as _


class PortalAdminSite(AdminSite):
    site_title = _("Cluster Register")
    site_header = _("Cluster Register")
    index_title = _("What needs attention")
