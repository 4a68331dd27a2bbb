"""Writes the module beside a library that says on which runtimes and GPUs it fails. Called by CMake, once it is linked.

The loader that stubgen writes reads it before it loads the library. Literals, so that this takes no time, and only what
is known to fail: a runtime that is merely unknown is never in the way.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from ..binaries import read_binary
from ..binaries.runtime_calls import is_c_abi_symbol
from ..contract.assess import assess
from ..contract.device_support import group_by_target, read_device_code_of_libraries
from ..contract.releases.ledger import read_ledger
from ..contract.verdicts import BAD
from ..errors import OutputError
from ..gpus.catalogue import read_catalogue
from ..gpus.coverage import assess_gpus, has_cuda, select_launchable
from ..terminal.arguments import read_path
from ..terminal.command import Parser, help_formatter, run_command

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..binaries import Binary
    from ..binaries.device_code import DeviceCode
    from ..contract.assess import Assessment

__all__ = ["main", "render_gpu_check", "render_module"]

# A module for linters and type checkers. It is read, never imported.
_GPU_CHECK = Path(__file__).with_name("gpu_check_template.py")
_FROM_HERE = "\n\n# ---- From here on ----"
# What the runtime calls of a library, by the name that Python sees.
_FUNCTION = "__tvm_ffi_"


def render_module(library: str, found: Assessment) -> str:
    """Return the text of the module.

    Args:
        library: The library's file name.
        found: What is known of it.

    """
    failing = {
        release: next(reason.text for reason in verdict.reasons if reason.severity == BAD)
        for release, verdict in found.verdicts.items()
        if verdict.status == BAD
    }
    named = _literal(library)[1:-1]
    lines = [
        f'"""The releases of apache-tvm-ffi that {named} works with and fails on, as known when it was built."""',
        "",
        f"WORKS_WITH = {_literal(str(found.range) if found.range.floor else '')}",
        # With its type, which mypy asks for where it is empty.
        f"FAILS_ON: dict[str, str] = {'{' if failing else '{}'}",
        *(f"    {_literal(release)}: {_literal(reason)}," for release, reason in failing.items()),
        *(["}"] if failing else []),
    ]
    return "\n".join([*lines, ""])


def render_gpu_check(library: str, binary: Binary, code: DeviceCode) -> str:
    """Return the part of the module by which the loader checks the GPUs at the first call of a function.

    Args:
        library: The library's file name.
        binary: What it says of itself.
        code: Its device code.

    """
    names = (name[len(_FUNCTION) :] for name in binary.exported if name.startswith(_FUNCTION))
    # Those that begin with an underscore are metadata.
    functions = sorted(name for name in names if name.isidentifier() and not name.startswith("_"))
    if not has_cuda(code) or not functions:
        return ""
    failing = [str(run.capability) for run in assess_gpus(code, read_catalogue()) if run.manner == "no"]
    targets = ", ".join(target.name for target in group_by_target(select_launchable(code.images)))
    imports, _, body = _GPU_CHECK.read_text(encoding="utf-8").partition(_FROM_HERE)
    lines = [
        *(line for line in imports.splitlines() if line.startswith(("import ", "from "))),
        "",
        f"LIBRARY = {_literal(library)}",
        f"GPU_CODE = {_literal(targets)}",
        f"FAILS_ON_GPUS: list[str] = [{', '.join(map(_literal, failing))}]",
        f"FUNCTIONS: list[str] = [{', '.join(map(_literal, functions))}]",
    ]
    return "\n".join(lines) + body


def _literal(text: str) -> str:
    """Return a string literal in double quotes."""
    return '"' + text.encode("unicode_escape").decode("ascii").replace('"', '\\"') + '"'


def main(argv: Sequence[str] | None = None) -> None:
    """Write the module for the library in ``argv`` to the file in it."""
    parser = Parser(
        prog="tvm-ffi-build",
        description="Write down on which runtimes a library fails.",
        formatter_class=help_formatter,
    )
    parser.add_argument("library", type=read_path)
    parser.add_argument("output", type=read_path)
    parser.add_argument("--no-gpu-check", action="store_true", help="leave out what the loader checks of GPUs")
    args = parser.parse_args(argv)

    def write() -> None:
        name = args.library.name
        binary = read_binary(args.library)
        # Nobody knows yet which libraries will lie beside it. One of them may have a C++ symbol that no release has; if
        # none does, the audit says so (R205).
        beside = frozenset(symbol for symbol in binary.imported if not is_c_abi_symbol(symbol))
        found = assess({name: (args.library, binary)}, read_ledger(), beside=beside)
        code = {} if args.no_gpu_check else read_device_code_of_libraries({name: args.library}, {name: binary})
        gpus = render_gpu_check(name, binary, code[name]) if code else ""
        try:
            args.output.parent.mkdir(parents=True, exist_ok=True)
            args.output.write_text("\n".join(filter(None, [render_module(name, found), gpus])), encoding="utf-8")
        except OSError as error:
            raise OutputError(f"{args.output} cannot be written: {error.strerror}") from None

    run_command(write, program=parser.prog)


if __name__ == "__main__":
    main()
