"""The threat model names the tests that prove its controls: they have to exist."""

import re

import pytest

from tests.named_tests import ROOT, exists

TEXT = (ROOT / "docs/threat-model.md").read_text(encoding="utf-8")
ROWS = [line for line in TEXT.splitlines() if re.match(r"\| \d+ \|", line)]
NAMED = sorted(set(re.findall(r"`(tests/[\w/]+\.py::\w+)`", TEXT)))


def test_about_twenty_threats_are_told() -> None:
    assert len(ROWS) >= 20


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.split("|")[1].strip())
def test_threat_has_a_control_and_a_test(row: str) -> None:
    _, _number, threat, control, proof, _ = row.split("|")

    assert threat.strip()
    assert control.strip()
    assert "::" in proof


@pytest.mark.parametrize("named", NAMED)
def test_named_test_exists(named: str) -> None:
    assert exists(named)
