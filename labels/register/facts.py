from labels.models import Label


def published_manager(label: Label) -> str | None:
    organisation = label.managing_organisation
    return organisation.name if organisation and organisation.is_published else None
