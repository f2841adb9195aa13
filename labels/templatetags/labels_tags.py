"""Words for labels."""

from datetime import date

from django import template

from labels.models import STATE_NAMES, Label
from labels.register import state_sentence as sentence
from labels.validity import State

register = template.Library()


@register.filter
def state_name(state: str) -> str:
    """`{{ label.state|state_name }}`: the state in a few words."""
    return str(STATE_NAMES[State(state)])


@register.filter
def state_sentence(label: Label, day: date) -> str:
    """`{{ label|state_sentence:day }}`: the state on the day as a sentence."""
    return sentence(label, day)
