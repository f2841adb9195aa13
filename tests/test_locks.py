"""Each lock is complete: what it installs needs nothing that it does not name."""

import re
import tomllib
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[1]
LOCKS = {
    "requirements.txt": (),
    "requirements-dev.txt": ("dev",),
    "requirements-next.txt": ("dev",),
}
MACHINES = [
    {
        "python_version": python,
        "python_full_version": f"{python}.0",
        "sys_platform": sys_platform,
        "platform_system": system,
        "platform_machine": machine,
        "os_name": "posix",
        "implementation_name": "cpython",
        "platform_python_implementation": "CPython",
    }
    for python in ("3.11", "3.13")
    for sys_platform, system, machine in (
        ("linux", "Linux", "x86_64"),
        ("linux", "Linux", "aarch64"),
        ("darwin", "Darwin", "arm64"),
    )
]


def locked(text: str, machine: dict[str, str]) -> dict[str, Requirement]:
    """The lines of a lock that hold on a machine, by name."""
    lines = re.findall(r"^([\w.\[\],-]+==[^\\\n]+?)\s*\\?$", text, re.MULTILINE)
    requirements = [Requirement(line) for line in lines]
    return {
        canonicalize_name(each.name): each
        for each in requirements
        if each.marker is None or each.marker.evaluate(machine)
    }


def version_of(line: Requirement) -> str:
    return next(iter(line.specifier)).version


def needs_of(line: Requirement, machine: dict[str, str]) -> Iterator[Requirement]:
    """What the package of a line asks for, with the extras of the line."""
    package = distribution(line.name)
    for text in package.requires or ():
        need = Requirement(text)
        extras = ("", *sorted(line.extras))
        if need.marker is None or any(
            need.marker.evaluate({**machine, "extra": e}) for e in extras
        ):
            yield need


def is_installed(line: Requirement) -> bool:
    try:
        return distribution(line.name).version == version_of(line)
    except PackageNotFoundError:
        return False


def unmet(text: str, roots: list[str], machine: dict[str, str]) -> list[str]:
    lines = locked(text, machine)
    needs = [(root, Requirement(root)) for root in roots]
    for line in lines.values():
        if is_installed(line):
            needs += [(line.name, need) for need in needs_of(line, machine)]
    return [f"{asker} needs {need}" for asker, need in needs if not is_met(need, lines)]


def is_met(need: Requirement, lines: dict[str, Requirement]) -> bool:
    line = lines.get(canonicalize_name(need.name))
    return (
        line is not None
        and need.specifier.contains(version_of(line), prereleases=True)
        and need.extras <= line.extras
    )


def asked_for(groups: tuple[str, ...]) -> list[str]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    listed = [project["project"]["dependencies"]]
    listed += [project["dependency-groups"][group] for group in groups]
    return [requirement for requirements in listed for requirement in requirements]


@pytest.mark.parametrize("machine", MACHINES, ids=lambda m: "-".join(list(m.values())[:5:2]))
@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_names_all_that_it_needs(lock: str, machine: dict[str, str]) -> None:
    text = (ROOT / lock).read_text()
    assert unmet(text, asked_for(LOCKS[lock]), machine) == []


@pytest.mark.parametrize("lock", LOCKS)
def test_the_needs_of_nearly_all_of_a_lock_can_be_read_here(lock: str) -> None:
    """Django is the one package of another version in requirements-next.txt and here."""
    lines = locked((ROOT / lock).read_text(), MACHINES[0])
    assert {name for name, line in lines.items() if not is_installed(line)} <= {"django"}


def test_a_lock_without_an_extra_is_found_out() -> None:
    text = (ROOT / "requirements-dev.txt").read_text()
    broken = text.replace("coverage[toml]==", "coverage==")
    assert broken != text
    assert unmet(broken, [], MACHINES[0]) == ["pytest-cov needs coverage[toml]>=7.10.6"]
