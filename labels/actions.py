"""Writes to the register."""

from collections.abc import Iterable

from django.db import transaction

from labels.models import Label, Level, LevelRule


@transaction.atomic
def save_label(label: Label) -> Label:
    """Derive the effective days, check the whole row, and save it; its renewals where it ends anew.

    Raises ValidationError that names the field.
    """
    if label.renews_id is not None:
        # Its end counts, and may have been saved since this row was read.
        label.renews = Label.objects.get(pk=label.renews_id)
    label.full_clean()
    stored = Label.objects.filter(pk=label.pk).first() if label.pk else None
    label.save()
    if stored and stored.ends_on != label.ends_on:
        for renewal in label.renewals.select_related("level", "renews"):
            save_label(renewal)
    return label


def labels_changed_by(level: Level, rules: Iterable[LevelRule]) -> list[Label]:
    """The level's labels whose days differ under these rules, derived and not saved.

    Raises ValueError where a label would end before it starts.
    """
    by_rule = {rule.as_rule(): rule for rule in rules}
    derived: dict[int, Label] = {}
    changed = []
    # Oldest first: a renewal counts from the end, as just derived, of what it renews.
    for label in level.labels.select_related("cluster").order_by("starts_on", "pk"):
        label.level = level
        if label.renews_id is not None:
            label.renews = derived.get(label.renews_id, label.renews)
        before = label.effective_days
        label.apply_validity(by_rule)
        derived[label.pk] = label
        if before != label.effective_days:
            changed.append(label)
    return changed


@transaction.atomic
def apply_rules(level: Level) -> list[Label]:
    """Derive the days of a level's labels again after a rule changed; returns the changed ones."""
    changed = labels_changed_by(level, level.rules.all())
    for label in changed:
        label.save()
    return changed
