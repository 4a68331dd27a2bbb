"""The templates: one folder a kind of project, laid over the one with what all have in common."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from ..errors import MissingToolError, NewProjectError
from ..host.package_data import resource_path
from ..pyproject.tables import read_table
from ..stubgen.new_package.loader import loader_file

if TYPE_CHECKING:
    from .names import ProjectNames

__all__ = ["CIBUILDWHEEL", "CIS", "Template", "find_template", "find_templates", "render"]

CIBUILDWHEEL, CROSS = CIS = ("cibuildwheel", "cross")

_COMMON = "common"
_ABOUT = "template.toml"
_SUFFIX = ".jinja"
# Stands in the names of files for the name of the package.
_PACKAGE = "PACKAGE"


@dataclass(frozen=True)
class Template:
    """A kind of project.

    Attributes:
        name: What it is called on the command line.
        summary: What it is for, in one line.
        not_cross: Why its wheels cannot be built on machines of another platform, if so.

    """

    name: str
    summary: str
    not_cross: str | None = None


def find_templates() -> list[Template]:
    """Return all templates, by name."""
    abouts = sorted(resource_path("templates").glob(f"*/{_ABOUT}"))
    return [Template(path.parent.name, **read_table(path)) for path in abouts]


def find_template(name: str) -> Template:
    """Return the template of a name.

    Raises:
        NewProjectError: There is none; the message has those whose names are nearest.

    """
    templates = {template.name: template for template in find_templates()}
    if name in templates:
        return templates[name]
    near = difflib.get_close_matches(name.lower(), templates) or sorted(templates)
    raise NewProjectError(f"unknown template {name!r}", f"write {' or '.join(near)}, or run: tvm-ffi-build new --list")


def render(template: Template, names: ProjectNames, ci: str = CIBUILDWHEEL) -> dict[PurePosixPath, str]:
    """Return the files of a new project.

    Args:
        template: Its kind.
        names: What it is called.
        ci: One of :data:`CIS`, where its wheels are built: on each platform, or on Linux for all of them.

    Raises:
        NewProjectError: Its wheels cannot be built there.
        MissingToolError: Jinja2 is not installed.

    """
    if ci == CROSS and template.not_cross:
        raise NewProjectError(
            f"--ci {CROSS} is not for the template {template.name}: {template.not_cross}", "leave it out"
        )
    try:
        from jinja2 import Environment, FileSystemLoader, StrictUndefined  # noqa: PLC0415  (an extra)
    except ImportError:
        raise MissingToolError(
            "Jinja2, which fills in the templates, is not installed",
            command="python -m pip install 'tvm-ffi-build[new]'",
        ) from None
    environment = Environment(  # noqa: S701  (no HTML)
        loader=FileSystemLoader(resource_path("templates")),
        undefined=StrictUndefined,
        keep_trailing_newline=True,
        trim_blocks=True,
        lstrip_blocks=True,
        # GitHub's workflows have {{ }} for themselves, TOML [[ ]].
        variable_start_string="<{",
        variable_end_string="}>",
        comment_start_string="<#",
        comment_end_string="#>",
    )
    values = {
        "distribution": names.distribution,
        "package": names.package,
        "template": template.name,
        "ci": ci,
        "loader": loader_file(names.distribution, names.package),
    }
    return {
        PurePosixPath(path.removesuffix(_SUFFIX).replace(_PACKAGE, names.package)): environment.get_template(
            f"{folder}/{path}"
        ).render(values)
        for path, folder in _list_sources(_COMMON, template.name, *([CROSS] if ci == CROSS else [])).items()
    }


def _list_sources(*folders: str) -> dict[str, str]:
    """Return the folder that each file comes from: the last that has it."""
    root = resource_path("templates")
    sources: dict[str, str] = {}
    for folder in folders:
        paths = (root / folder).rglob(f"*{_SUFFIX}")
        sources.update({path.relative_to(root / folder).as_posix(): folder for path in paths})
    return sources
