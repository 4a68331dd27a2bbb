"""What the manual says about each rule: the sections of ``docs/reference/audit.md``, which wheels carry."""

from __future__ import annotations

import re
from functools import lru_cache
from importlib import metadata
from typing import TYPE_CHECKING, NamedTuple

from ..errors import UsageError
from ..host.package_data import resource_path
from ..terminal.suggest import suggest
from .rules import RULES

if TYPE_CHECKING:
    from ..terminal.screen import Screen
    from .findings import Rule

__all__ = ["RulePage", "explain_rule", "list_rules", "read_rule_page"]

_DISTRIBUTION = "tvm-ffi-build"
_PAGE = "reference/audit.html"
_SECTION = re.compile(r"^### (?P<id>\w+): (?P<title>.*)\n(?P<text>(?:(?!^#{2,3} ).*\n)*)", re.MULTILINE)
_LINK = re.compile(r"\[(?P<text>[^\]]+)\]\((?P<target>[^)]*)\)")


class RulePage(NamedTuple):
    """The section on a rule.

    Attributes:
        title: Its heading.
        text: What follows, as Markdown; links are replaced by their texts.
        address: Where it is on the web, or an empty text if this package does not name its documentation.

    """

    title: str
    text: str
    address: str

    @property
    def summary(self) -> str:
        """The first paragraph, in a line."""
        return " ".join(self.text.partition("\n\n")[0].split())


def read_rule_page(rule: Rule) -> RulePage:
    """Return the section of the manual on a rule."""
    title, text = _read_sections()[rule.id]
    heading = f"{rule.id}: {title}"
    site = _find_documentation()
    # As MyST makes the anchors of headings ("myst_heading_anchors"), and GitHub.
    anchor = re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")
    return RulePage(heading, text, f"{site.rstrip('/')}/{_PAGE}#{anchor}" if site else "")


@lru_cache(1)
def _read_sections() -> dict[str, tuple[str, str]]:
    manual = resource_path("rules.md").read_text(encoding="utf-8")
    return {
        match["id"]: (match["title"], _LINK.sub(r"\g<text>", match["text"]).strip())
        for match in _SECTION.finditer(f"{manual}\n")
    }


def _find_documentation() -> str:
    """Return the address that this distribution names as that of its documentation, or an empty text."""
    try:
        entries = metadata.metadata(_DISTRIBUTION).get_all("Project-URL") or []
    except metadata.PackageNotFoundError:
        return ""
    named = (entry.partition(", ") for entry in entries)
    return next((address for label, _, address in named if label.lower() == "documentation"), "")


def explain_rule(name: str, screen: Screen) -> str:
    """Return what ``audit --explain`` prints.

    Raises:
        UsageError: There is no such rule.

    """
    rule = RULES.get(name.upper())
    if rule is None:
        every = "run: tvm-ffi-build audit --list-rules"
        raise UsageError(f"unknown rule: {name}", suggest(name.upper(), RULES) or every)
    page = read_rule_page(rule)
    parts = [screen.wrap(page.title), *_wrap_markdown(page.text, screen)]
    parts += [screen.wrap(page.address)] if page.address else []
    return "\n".join(parts)


def _wrap_markdown(text: str, screen: Screen) -> list[str]:
    """Return the paragraphs; code and tables keep their lines."""
    found: list[str] = []
    # Code may have empty lines.
    for number, part in enumerate(re.split(r"^```\w*\n", text, flags=re.MULTILINE)):
        if number % 2:
            found.append("".join(f"    {line}\n" for line in part.splitlines()))
            continue
        for paragraph in filter(None, re.split(r"\n\s*\n", part.strip())):
            is_text = not paragraph.startswith(("|", "- "))
            found.append(screen.wrap(" ".join(paragraph.split()), hang=0) if is_text else f"{paragraph}\n")
    return found


def list_rules(screen: Screen) -> str:
    """Return what ``audit --list-rules`` prints: a line for each rule."""
    return "".join(
        screen.wrap(f"{rule.severity:7}  {rule.title}", label=f"{rule.id}  ", hang=15) for rule in RULES.values()
    )
