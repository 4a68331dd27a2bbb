"""Entry points by the Python that the wheel is for.

scikit-build-core names its plug-in point ``scikit-build-core.config.default``. Hyphens are outside of what the entry
point specification allows in a group's name, and on Python 3.9 and 3.10 pip refuses to install a distribution that has
them ("Invalid group name"). So there are two wheels, without the group for those Pythons and with it for 3.11 and
later; installers prefer the higher tag. ``tvm_ffi_build.plugin`` has what stands in for it.
"""

from __future__ import annotations

import sys
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface
from hatchling.metadata.plugin.interface import MetadataHookInterface

PIP_TAKES_HYPHENS = sys.version_info >= (3, 11)


class EntryPoints(MetadataHookInterface):
    """Fills in ``project.entry-points``."""

    def update(self, metadata: dict[str, Any]) -> None:
        """Add what the running Python's pip can install."""
        groups = {
            "dynamic_metadata.provider": {"tvm-ffi-build": "tvm_ffi_build.plugin:RuntimeRequirement"},
            "validate_pyproject.tool_schema": {"tvm-ffi-build": "tvm_ffi_build.pyproject.settings_schema:get_schema"},
        }
        if PIP_TAKES_HYPHENS:
            groups["scikit-build-core.config.default"] = {"tvm-ffi-build": "tvm_ffi_build.plugin:config"}
        metadata["entry-points"] = groups


class Tag(BuildHookInterface[Any]):
    """Tags the wheel with the lowest Python that it is for."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Set the tag."""
        del version
        build_data["tag"] = "py311-none-any" if PIP_TAKES_HYPHENS else "py39-none-any"
