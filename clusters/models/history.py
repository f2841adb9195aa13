"""The history that every model keeps: who changed a row, when, and from where."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from simple_history.models import HistoricalRecords

from clusters.fields import LongTextField, MomentField, NormalNameField

ADMIN, PAGE, COMMAND, IMPORT, DEMO = "admin", "page", "command", "import", "load_demo"
REGISTER = "register"
RESTORED = "restored"

_origin: ContextVar[str] = ContextVar("origin", default="")


@contextmanager
def came_from(origin: str) -> Iterator[None]:
    # Versions written inside say that they came from there, whoever asked.
    token = _origin.set(origin)
    try:
        yield
    finally:
        _origin.reset(token)


def origin() -> str:
    # Where the change now being written comes from.
    # What an import says of itself goes before the page that it was asked on.
    if _origin.get():
        return _origin.get()
    request = getattr(HistoricalRecords.context, "request", None)
    if request is None:
        return COMMAND
    return ADMIN if request.path.startswith("/admin/") else PAGE


@dataclass(frozen=True)
class Restored:
    """That a version brought an older one back: the older one's key and moment."""

    version: int
    moment: datetime

    def __str__(self) -> str:
        return f"{RESTORED} {self.version} {self.moment.isoformat()}"

    @classmethod
    def parse(cls, reason: str) -> "Restored | None":
        # None for anything else: also a person may begin a reason with that word.
        match reason.split():
            case [word, version, moment] if word == RESTORED:
                try:
                    return cls(int(version), datetime.fromisoformat(moment))
                except ValueError:
                    return None
        return None


class History(HistoricalRecords):  # type: ignore[misc]  # it comes without types
    """Each version carries its origin as the reason, unless the writer gave another one."""

    def get_change_reason_for_object(
        self, instance: Any, history_type: str, using: str
    ) -> str | None:
        given: str | None = super().get_change_reason_for_object(instance, history_type, using)
        return given or origin()

    def get_extra_fields(self, model: Any, fields: Any) -> dict[str, Any]:
        extra: dict[str, Any] = super().get_extra_fields(model, fields)
        return extra | {
            "history_date": MomentField(db_index=True),
            # A correction's reason is that of its decision.
            "history_change_reason": LongTextField(null=True, max_length=4_000),  # type: ignore[misc]
        }

    def fields_included(self, model: Any) -> list[Any]:
        # A version holds the name, of which its normal form is made.
        fields: list[Any] = super().fields_included(model)
        return [field for field in fields if not isinstance(field, NormalNameField)]
