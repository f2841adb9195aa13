"""The levels that programmes require, on the programme's own screen."""

from django.contrib import admin

from clusters.admin.base import PartAdmin, TabularPart
from clusters.admin.directory import ProgrammeAdmin
from labels.models import RequiredLevel


class RequiredLevelInline(TabularPart):
    model = RequiredLevel
    fields = ("level", "required_from", "required_until", "source")


ProgrammeAdmin.inlines.append(RequiredLevelInline)


@admin.register(RequiredLevel)
class RequiredLevelAdmin(PartAdmin):
    part_of = ("programme",)
    list_display = ("level", "programme", "required_from", "required_until")
