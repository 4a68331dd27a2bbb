"""The rules: A agnostic, R runtime, P platform, C contents, G GPUs.

``docs/reference/audit.md`` has a section for each.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import (
    elf_loading,
    generated_stubs,
    gpu_code,
    library_files,
    loading,
    package_import,
    platform_tags,
    python_abi,
    runtime_library,
    runtime_requirement,
    undefined_symbols,
    wheel_files,
)

if TYPE_CHECKING:
    from ..findings import Rule

__all__ = ["RULES"]

RULES: dict[str, Rule] = {
    rule.id: rule
    for family in (
        python_abi,
        runtime_library,
        runtime_requirement,
        platform_tags,
        loading,
        elf_loading,
        undefined_symbols,
        library_files,
        wheel_files,
        generated_stubs,
        package_import,
        gpu_code,
    )
    for rule in family.RULES
}
