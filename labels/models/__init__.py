"""Levels and their rules, labels and their states, decisions, indicator sets, published counts."""

from labels.models.decisions import Decision, DecisionKind, DecisionQuerySet, DecisionState
from labels.models.experts import Expert
from labels.models.labels import (
    STATE_NAMES,
    STATUS_PLACES,
    Label,
    LabelKind,
    LabelQuerySet,
    Suspension,
    new_status_index,
)
from labels.models.notices import Delivery, Notice, NoticeAnswer, NoticeKind
from labels.models.requirements import RequiredLevel
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
from labels.models.sources import LabelSource

__all__ = [
    "STATE_NAMES",
    "STATUS_PLACES",
    "Decision",
    "DecisionKind",
    "DecisionQuerySet",
    "DecisionState",
    "Delivery",
    "Dimension",
    "Expert",
    "Indicator",
    "IndicatorSet",
    "IssuingBody",
    "IssuingBodyRole",
    "Label",
    "LabelKind",
    "LabelQuerySet",
    "LabelSource",
    "Level",
    "LevelRule",
    "Notice",
    "NoticeAnswer",
    "NoticeKind",
    "RequiredLevel",
    "Statement",
    "Suspension",
    "new_status_index",
]
