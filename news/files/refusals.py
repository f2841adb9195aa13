"""Why a document is not taken, in words."""

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _


class DocumentRefused(Exception):
    def __init__(self, message: Promise) -> None:
        super().__init__(message)
        self.message = message


UNKNOWN = _(
    "This is not a complete PDF, Word (docx), Excel (xlsx), PowerPoint (pptx) or OpenDocument file "
    "(odt, ods, odp). Save it as one and try again."
)
BROKEN = _("This file is damaged, or something was added to it. Save it anew and try again.")
ENCRYPTED = _("This file is protected by a password. Save it without one and try again.")
TOO_LARGE_INSIDE = _("Unpacked, this file is too large to be looked at. Make it smaller.")
MACROS = _("This file has macros or other programs. Save it without them and try again.")
LOADS = _(
    "This file loads something from elsewhere when it is opened. Save it with everything inside "
    "and try again."
)
EMBEDDED = _("There are other files inside this file. Save it without them and try again.")
ACTIONS = _(
    "This file starts something by itself: a program, a film or the sending of a form. Save it "
    "without that and try again."
)
