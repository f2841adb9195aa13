"""Levels and their rules, labels and their states, decisions, indicator sets, published counts."""

from labels.models.credentials import STATUS_PLACES, IssuedCredential
from labels.models.decisions import Decision, DecisionKind, DecisionQuerySet
from labels.models.experts import Expert
from labels.models.labels import (
    MAY_HOLD,
    STATE_NAMES,
    Label,
    LabelKind,
    LabelQuerySet,
    Suspension,
    later_labels,
)
from labels.models.notices import Delivery, Notice, NoticeAnswer, NoticeKind
from labels.models.proposals import DecisionState, Proposal
from labels.models.requirements import RequiredLevel
from labels.models.rule_changes import RuleChange
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
    "MAY_HOLD",
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
    "IssuedCredential",
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
    "Proposal",
    "RequiredLevel",
    "RuleChange",
    "Statement",
    "Suspension",
    "later_labels",
]
