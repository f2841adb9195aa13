"""Types of the arguments of commands."""

from argparse import ArgumentTypeError
from datetime import date

from clusters.dates import parse_day


def day(text: str) -> date:
    try:
        return parse_day(text)
    except ValueError as error:
        raise ArgumentTypeError(f"{error}; write a day as 2015-09-08") from error
