"""The rules: A agnostic, R runtime, P platform, C contents. ``docs/reference/audit.md`` has a section for each."""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import agnostic, contents, loading, platform, requirement, runtime, stubs

if TYPE_CHECKING:
    from ..findings import Rule

__all__ = ["RULES"]

RULES: dict[str, Rule] = {
    rule.id: rule
    for family in (agnostic, runtime, requirement, platform, loading, contents, stubs)
    for rule in family.RULES
}
