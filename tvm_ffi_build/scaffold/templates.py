"""The templates: one folder a kind of project, laid over the one with what all have in common."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from ..errors import MissingToolError, NewProjectError
from ..project import read_table
from ..resources import resource_dir
from ..stubgen.scaffold import loader_file

if TYPE_CHECKING:
    from .names import Names

__all__ = ["Template", "find_template", "find_templates", "render"]

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

    """

    name: str
    summary: str


def find_templates() -> list[Template]:
    """Return all templates, by name."""
    abouts = sorted(resource_dir("templates").glob(f"*/{_ABOUT}"))
    return [Template(path.parent.name, str(read_table(path)["summary"])) for path in abouts]


def find_template(name: str) -> Template:
    """Return the template of a name.

    Raises:
        NewProjectError: There is none; the message has those whose names are nearest.

    """
    templates = {template.name: template for template in find_templates()}
    if name in templates:
        return templates[name]
    near = difflib.get_close_matches(name.lower(), templates) or sorted(templates)
    raise NewProjectError(f"there is no template {name!r}; write {' or '.join(near)}, or run: tvm-ffi-build new --list")


def render(template: Template, names: Names) -> dict[PurePosixPath, str]:
    """Return the files of a new project.

    Raises:
        MissingToolError: Jinja2 is not installed.

    """
    try:
        from jinja2 import Environment, FileSystemLoader, StrictUndefined  # noqa: PLC0415  (an extra)
    except ImportError:
        raise MissingToolError(
            "Jinja2, which fills in the templates, is not installed; run: python -m pip install 'tvm-ffi-build[new]'"
        ) from None
    environment = Environment(  # noqa: S701  (no HTML)
        loader=FileSystemLoader(resource_dir("templates")),
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
        "loader": loader_file(names.distribution, names.package),
    }
    return {
        PurePosixPath(path.removesuffix(_SUFFIX).replace(_PACKAGE, names.package)): environment.get_template(
            f"{folder}/{path}"
        ).render(values)
        for path, folder in _sources(template).items()
    }


def _sources(template: Template) -> dict[str, str]:
    """Return the folder that each file comes from: the template's own, if it has that file."""
    root = resource_dir("templates")
    sources: dict[str, str] = {}
    for folder in (_COMMON, template.name):
        paths = (root / folder).rglob(f"*{_SUFFIX}")
        sources.update({path.relative_to(root / folder).as_posix(): folder for path in paths})
    return sources
