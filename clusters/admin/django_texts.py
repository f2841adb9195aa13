"""Texts of Django’s admin of which the portal has Italian of its own.

Django’s takes every name for masculine, as in “Il certificazione … è stato aggiunto”, and calls
buttons by nouns and infinitives. The portal’s catalogue goes before Django’s and that of
django-import-export; named here, its entries stay in it. Months are written small in it, as within
a date.
"""

from django.utils.translation import gettext_noop

TEXTS = (
    gettext_noop("The {name} “{obj}” was added successfully."),
    gettext_noop("The {name} “{obj}” was added successfully. You may edit it again below."),
    gettext_noop("The {name} “{obj}” was added successfully. You may add another {name} below."),
    gettext_noop("The {name} “{obj}” was changed successfully."),
    gettext_noop("The {name} “{obj}” was changed successfully. You may edit it again below."),
    gettext_noop("The {name} “{obj}” was changed successfully. You may add another {name} below."),
    gettext_noop("You may edit it again below."),
    gettext_noop("The %(name)s “%(obj)s” was deleted successfully."),
    gettext_noop("Log out"),
    gettext_noop("View"),
    gettext_noop("View %s"),
    gettext_noop("Select %s to view"),
    gettext_noop("Import"),
    gettext_noop("Export"),
    gettext_noop("Submit"),
    gettext_noop("January"),
    gettext_noop("February"),
    gettext_noop("March"),
    gettext_noop("April"),
    gettext_noop("May"),
    gettext_noop("June"),
    gettext_noop("July"),
    gettext_noop("August"),
    gettext_noop("September"),
    gettext_noop("October"),
    gettext_noop("November"),
    gettext_noop("December"),
)
