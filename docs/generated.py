"""Parts of the reference that are made from the code: a page has ``<!-- generated: NAME -->`` where one belongs."""

from __future__ import annotations

import argparse
import json
import re
from importlib import import_module
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

import schemas

from tvm_ffi_build.__main__ import COMMANDS
from tvm_ffi_build.errors import ExitStatus
from tvm_ffi_build.new_project import ProjectNames, render
from tvm_ffi_build.new_project.templates import find_template
from tvm_ffi_build.pyproject.tables import TABLES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["PARTS", "PUBLIC"]

_CMAKE = Path(__file__).parents[1] / "cmake"
_BENCHMARKS = Path(__file__).parents[1] / "tests/benchmarks"
# What scripts may use. A module alone stands for all that it offers.
PUBLIC: dict[str, tuple[str, ...]] = {
    "tvm_ffi_build.runtime": (),
    "tvm_ffi_build.platforms": ("Platform",),
    "tvm_ffi_build.config": ("c_flags", "cmake_dir", "cxx_flags", "link_libraries", "linker_flags", "source_dir"),
    "tvm_ffi_build.setup_py": (),
    "tvm_ffi_build.audit": ("audit", "audit_wheel", "project_settings", "Settings", "Report"),
    "tvm_ffi_build.audit.findings": ("Finding", "Problem", "Rule"),
    "tvm_ffi_build.contract.evidence": ("recorded_runtime", "read_record", "Record", "BuiltLibrary", "Compiler"),
    "tvm_ffi_build.errors": (),
}
# So that lines are as wide as the page.
_WIDTH = 100


def commands() -> str:
    """Return each command's help, as the command prints it."""
    parts = []
    for name, module, summary in COMMANDS:
        parser = argparse.ArgumentParser(f"tvm-ffi-build {name}", formatter_class=_formatter)
        import_module(module, "tvm_ffi_build").populate_parser(parser)
        parts += [f"## {name}\n\n{summary[0].upper()}{summary[1:]}.\n", _code("text", parser.format_help())]
    return "\n".join(parts)


def _formatter(prog: str) -> argparse.HelpFormatter:
    return argparse.HelpFormatter(prog, width=_WIDTH)


def exit_codes() -> str:
    """Return a table of the exit statuses."""
    rows = (f"| {status.value} | {status.meaning} |" for status in ExitStatus)
    return "\n".join(["| status | meaning |", "|---|---|", *rows])


def cmake_functions() -> str:
    """Return what stands above each public CMake function, in the file that has its name."""
    return "\n".join(part for path in sorted(_CMAKE.glob("*tvm_ffi_*.cmake")) for part in _cmake_function(path))


def _cmake_function(path: Path) -> Iterator[str]:
    comment = re.search(r"^# " + path.stem + r"\((?:.*\n)(?:#.*\n)*", path.read_text(encoding="utf-8"), re.MULTILINE)
    if comment is None:
        raise ValueError(f"{path} does not say how {path.stem} is called")
    usage, _, text = "".join(line[2:] or "\n" for line in comment[0].splitlines(keepends=True)).partition("\n\n")
    yield f"## {path.stem}\n"
    yield _code("text", usage)
    # Indented lines are code, as in Markdown.
    yield "\n".join(
        line if line.startswith("    ") else _with_placeholders(line) for line in f"{text.strip()}\n".split("\n")
    )


def _with_placeholders(line: str) -> str:
    """Return a line of prose in which ``<name>`` is code: a browser would take it for an unknown element."""
    return re.sub(r"(`[^`]*`)|([\w$./-]*<[A-Za-z][^<>]*>[\w$./:-]*)", lambda match: match[1] or f"`{match[2]}`", line)


def new_workflow(ci: str = "cibuildwheel") -> str:
    """Return the workflow that ``tvm-ffi-build new my-kernels`` writes, as a whole file."""
    files = render(find_template("cpp"), ProjectNames("my-kernels", "my_kernels"), ci)
    return _code("yaml", files[PurePosixPath(".github/workflows/wheels.yml")])


def new_workflow_cross() -> str:
    """Return the workflow of ``tvm-ffi-build new my-kernels --ci cross``."""
    return new_workflow("cross")


def settings() -> str:
    """Return a table of the keys in each of this package's tables in a ``pyproject.toml``."""
    parts = []
    for table in TABLES:
        parts += [
            f"### `[tool.tvm-ffi-build.{table.name}]`\n",
            "| key | value | default | meaning |",
            "|---|---|---|---|",
        ]
        parts += [
            f"| `{key.name}` | {key.kind.name} | `{json.dumps(key.default)}` | {key.meaning} |" for key in table.keys
        ]
        parts.append("")
    return "\n".join(parts)


def python_api() -> str:
    """Return directives by which Sphinx takes signatures and docs from the code."""
    parts = []
    for module, names in PUBLIC.items():
        directive = f".. automodule:: {module}\n   :members: {', '.join(names)}\n   :undoc-members:"
        parts += [f"## {module}\n", _code("{eval-rst}", directive)]
    return "\n".join(parts)


def _code(language: str, text: str) -> str:
    return f"```{language}\n{text.strip()}\n```\n"


def benchmark_targets() -> str:
    """Return a table of all that has a target, and whether it was met."""
    rows = [(row, name) for name, one in _benchmarks().items() for row in one["targets"]]
    return "\n".join(
        [
            "| benchmark | measured | limit | script |\n|---|---|---|---|",
            *(
                f"| {row['what']} | {row['value']}{'' if row['met'] else ' **missed**'} | {row['limit']} "
                f"| `{name}.py` |"
                for row, name in rows
            ),
        ]
    )


def benchmark_misses() -> str:
    """Return the reason for each target that was missed."""
    reasons = json.loads((_BENCHMARKS / "misses.json").read_text(encoding="utf-8"))
    missed = [row["what"] for one in _benchmarks().values() for row in one["targets"] if not row["met"]]
    return "\n".join(f"- **{what}**: {reasons[what]}" for what in missed) or "No target was missed."


def benchmarks() -> str:
    """Return what each benchmark says."""
    return "\n".join(
        f"### {one['about']}\n\n`python tests/benchmarks/{name}.py`, on {one['machine']}:\n\n"
        + _code("text", "\n".join(one["output"]))
        for name, one in _benchmarks().items()
    )


def _benchmarks() -> dict[str, Any]:
    found: dict[str, Any] = json.loads((_BENCHMARKS / "results.json").read_text(encoding="utf-8"))
    return found


PARTS: dict[str, Callable[[], str]] = {
    "benchmark-misses": benchmark_misses,
    "benchmark-targets": benchmark_targets,
    "benchmarks": benchmarks,
    "cmake-functions": cmake_functions,
    "commands": commands,
    "exit-codes": exit_codes,
    "json-schemas": schemas.as_markdown,
    "new-workflow": new_workflow,
    "new-workflow-cross": new_workflow_cross,
    "python": python_api,
    "settings": settings,
}
