"""Writes to the register."""

from django.db import transaction

from labels.models import Label, Level


@transaction.atomic
def save_label(label: Label) -> Label:
    """Derive the effective days, check the whole row, and save it with its renewals.

    Raises ValidationError that names the field.
    """
    label.full_clean()
    label.save()
    for renewal in label.renewals.select_related("level", "renews"):
        save_label(renewal)
    return label


@transaction.atomic
def apply_rules(level: Level) -> list[Label]:
    """Derive the days of a level's labels again after a rule changed; returns the changed ones.

    Oldest first, because a renewal counts from the end of what it renews.
    """
    changed = []
    for label in level.labels.select_related("renews").order_by("starts_on", "pk"):
        before = (label.starts_on, label.ends_on, label.renewable_until)
        label.derive_days()
        if before != (label.starts_on, label.ends_on, label.renewable_until):
            label.save()
            changed.append(label)
    return changed
