"""What commands show at several widths, with colours and in a log: files that a test compares.

``python tests/support/screens.py`` writes them again, after a change that is meant.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from tvm_ffi_build.audit import Report
from tvm_ffi_build.audit.findings import Finding, Problem
from tvm_ffi_build.audit.formats.text import as_statistics, as_text
from tvm_ffi_build.audit.rule_pages import explain_rule, list_rules
from tvm_ffi_build.audit.rules import RULES
from tvm_ffi_build.errors import BuildError, MissingToolError
from tvm_ffi_build.terminal.output import render_error
from tvm_ffi_build.terminal.screen import PLAIN, Screen, paint_marks

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["FOLDER", "HEADERS", "SCREENS", "show_all"]

FOLDER = Path(__file__).parents[1] / "unit" / "screens"
SCREENS = {
    "log": PLAIN,
    "60": Screen(60),
    "80": Screen(80),
    "120": Screen(120),
    "80-colors": Screen(80, colored=True),
}
HEADERS = 1490


def _finding(rule: str, message: str, remedy: str, file: str = "", evidence: tuple[str, ...] = ()) -> Finding:
    return Finding(RULES[rule], Problem(message, remedy, file, evidence))


REPORTS = (
    Report(
        Path("dist/demo-1.0-py3-none-manylinux_2_28_x86_64.whl"),
        (
            _finding(
                "R202",
                "demo/libdemo.so contains a copy of the runtime, so objects of other packages are not recognised",
                "link tvm_ffi::shared instead of tvm_ffi::static",
                "demo/libdemo.so",
                ("TVMFFIFunctionCall", "TVMFFIObjectDecRef", "TVMFFIErrorSetRaised", "TVMFFITypeKeyToIndex"),
            ),
            *(
                _finding("C404", f"demo/include/part_{number}.h is a header", "leave headers out of the wheel")
                for number in range(HEADERS)
            ),
            _finding("C405", "demo/demo.lib is an import library", "install RUNTIME and not ARCHIVE"),
            _finding("C405", "demo/core.lib is an import library", "install(TARGETS core RUNTIME DESTINATION demo)"),
        ),
    ),
    Report(Path("dist/other-1.0-py3-none-any.whl")),
    Report(Path("dist/pure-1.0-py3-none-any.whl"), skipped="pure Python"),
)
ERRORS = (
    MissingToolError("uv is not installed", command="python -m pip install uv"),
    BuildError(
        "minimal could not be built: src/extension.cc:14:3: fatal error: tvm/ffi/tvm_ffi.h: No such file or directory",
        "call tvm_ffi_configure_target(minimal) in CMakeLists.txt, which adds the headers of the runtime to the target",
    ),
)
_TEXTS: dict[str, Callable[[Screen], str]] = {
    "audit": lambda screen: as_text(REPORTS, screen, failed=1),
    "statistics": lambda screen: as_statistics(REPORTS, screen),
    "errors": lambda screen: "".join(render_error(error, screen) for error in ERRORS),
    "explain": lambda screen: explain_rule("P371", screen),
    "rules": list_rules,
}


def show_all() -> Iterator[tuple[str, str, Screen, str]]:
    """Yield the name of each text, the name of the screen, the screen, and what it shows."""
    for name, render in _TEXTS.items():
        for screen_name, screen in SCREENS.items():
            yield name, screen_name, screen, paint_marks(render(screen))


if __name__ == "__main__":
    for old in FOLDER.glob("*.txt"):
        old.unlink()
    for shown_name, shown_screen, _, shown in show_all():
        (FOLDER / f"{shown_name}-{shown_screen}.txt").write_text(shown, encoding="utf-8")
