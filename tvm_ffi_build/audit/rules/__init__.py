"""The rules: A agnostic, R runtime, P platform, C contents, G GPUs.

``docs/reference/audit.md`` has a section for each.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import (
    elf_loading,
    generated_stubs,
    gpu_code,
    install_effects,
    library_files,
    loading,
    other_packages,
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
        undefined_symbols,
        other_packages,
        library_files,
        elf_loading,
        wheel_files,
        generated_stubs,
        package_import,
        install_effects,
        gpu_code,
    )
    for rule in family.RULES
}
