"""``tvm-ffi-build new``: from a template to a project that builds, tests and publishes as it comes out."""

from __future__ import annotations

from .names import ProjectNames, check_name
from .templates import Template, find_templates, render
from .write_files import write_project

__all__ = ["ProjectNames", "Template", "check_name", "find_templates", "render", "write_project"]
