"""Levels and their rules, labels and their states, indicator sets, published counts."""

from labels.models.experts import Expert
from labels.models.labels import (
    STATE_NAMES,
    Label,
    LabelKind,
    LabelQuerySet,
    Suspension,
)
from labels.models.scheme import (
    Dimension,
    Indicator,
    IndicatorSet,
    IssuingBody,
    IssuingBodyRole,
    Level,
    LevelRule,
    Statement,
)

__all__ = [
    "STATE_NAMES",
    "Dimension",
    "Expert",
    "Indicator",
    "IndicatorSet",
    "IssuingBody",
    "IssuingBodyRole",
    "Label",
    "LabelKind",
    "LabelQuerySet",
    "Level",
    "LevelRule",
    "Statement",
    "Suspension",
]
