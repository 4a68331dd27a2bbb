"""Convert an unpacked sdist of jax-tvm-ffi 0.1.3: ``python tests/moving/convert_jax.py FOLDER``.

Prints what became unnecessary. Nothing of that project is kept here: each cut finds by a few words what falls away.
"""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass
from pathlib import Path

__all__ = ["CUTS", "Cut", "convert", "written"]


@dataclass(frozen=True)
class Cut:
    """A place in a file where something falls away.

    ``pattern`` is a regular expression that fits whole lines, of one place alone; ``instead`` is what is written there.
    """

    file: str
    what: str
    pattern: str
    instead: str = ""


# What the tables of the documentation call the parts.
FINDING = "finding the runtime"
CONFIGURING = "linking to it, debug symbols, the library's name"
LOADING = "finding the library at import"
TAGGING = "the wheel's tag and what it requires"
REPAIRING = "interpreters and repair in cibuildwheel"

_CMAKE = "CMakeLists.txt"
_PROJECT = "pyproject.toml"
_MODULE = "python/jax_tvm_ffi/__init__.py"

CUTS = (
    Cut(_CMAKE, FINDING, r"^execute_process\(\n[^)]*tvm_ffi\.config[^)]*^\)\n"),
    Cut(_CMAKE, CONFIGURING, r"^option\(\w+_DEBUG_SYMBOLS .*\n\n"),
    Cut(
        _CMAKE,
        CONFIGURING,
        r"^target_link_libraries\(.*tvm_ffi::header\)\n.*tvm_ffi::shared\)\n",
        "tvm_ffi_configure_target(jax_tvm_ffi)\n",
    ),
    Cut(_CMAKE, CONFIGURING, r"^# .*\nset_target_properties\(.* PREFIX \"\"\)\n\n"),
    Cut(
        _CMAKE,
        CONFIGURING,
        r"^if \(\w+_DEBUG_SYMBOLS\)\n(?:.*\n)*?endif \(\)\n\n",
        "tvm_ffi_install(jax_tvm_ffi DESTINATION .)\n",
    ),
    Cut(
        _MODULE,
        LOADING,
        r"^import sys\nfrom pathlib .*\n",
    ),
    Cut(_MODULE, LOADING, r"^import tvm_ffi\n", "import tvm_ffi\nfrom tvm_ffi.libinfo import load_lib_module\n"),
    Cut(
        _MODULE,
        LOADING,
        r"^def _load_lib\(.*\n(?:.*\n)*?_LIB = .*\n",
        '_LIB = load_lib_module("jax-tvm-ffi", "jax_tvm_ffi")\n',
    ),
    Cut(
        _PROJECT,
        TAGGING,
        r"^dependencies = .*apache-tvm-ffi.*\n",
        'dependencies = ["jax>=0.7.2"]\ndynamic = ["dependencies"]\n',
    ),
    Cut(
        _PROJECT,
        TAGGING,
        r"^requires = .*apache-tvm-ffi.*\n",
        'requires = ["scikit-build-core>=1.0", "tvm-ffi-build", "jax>=0.7.2"]\n',
    ),
    Cut(
        _PROJECT,
        TAGGING,
        r"^\[tool\.scikit-build\]\n# .*\nwheel\.py-api .*\n",
        '[[tool.dynamic-metadata]]\nprovider = "tvm-ffi-build"\n\n[tool.scikit-build]\n',
    ),
    Cut(
        _PROJECT,
        REPAIRING,
        r"^(?:# .*\n)+build = \[.*\n",
        'build = "cp312-*"\n'
        'before-build = "python -m pip install tvm-ffi-build[wheel]"\n'
        'repair-wheel-command = "tvm-ffi-build repair -w {dest_dir} {wheel}"\n',
    ),
    Cut(_PROJECT, REPAIRING, r"^# .*\ntest-skip = .*\n\n"),
    Cut(_PROJECT, REPAIRING, r"^repair-wheel-command = \"auditwheel .*\n"),
    Cut(_PROJECT, REPAIRING, r"^repair-wheel-command = \"delocate-wheel .*\n"),
)


def written(text: str) -> int:
    """Return how many lines somebody has written there, without empty ones and comments."""
    return sum(1 for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#"))


def convert(folder: Path) -> dict[str, tuple[int, int]]:
    """Convert an unpacked sdist in its place; return of each part how many lines it had, and has.

    :raises ValueError: where it is another release, before anything is written
    """
    texts = {cut.file: (folder / cut.file).read_text(encoding="utf-8") for cut in CUTS}
    counts = {cut.what: (0, 0) for cut in CUTS}
    for cut in CUTS:
        found = list(re.finditer(cut.pattern, texts[cut.file], re.MULTILINE))
        if len(found) != 1:
            raise ValueError(f"{cut.file} has {len(found)} places like {cut.pattern}; this is for jax-tvm-ffi 0.1.3")
        before, after = counts[cut.what]
        counts[cut.what] = before + written(found[0][0]), after + written(cut.instead)
        texts[cut.file] = texts[cut.file].replace(found[0][0], cut.instead)
    for name, text in texts.items():
        (folder / name).write_text(text, encoding="utf-8")
    return counts


if __name__ == "__main__":
    for part, (had, has) in convert(Path(sys.argv[1])).items():
        sys.stdout.write(f"{part}: {had} lines, now {has}\n")
