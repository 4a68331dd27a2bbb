"""Runs a fuzz target: a function ``one`` of the files ``fuzz_*.py`` beside this one, which takes bytes and a folder.

    python -m pip install atheris
    python tests/fuzz/fuzz.py wheels -max_total_time=1300 [other options of libFuzzer]

It starts with the inputs in ``seeds/``, and keeps inputs of interest in ``fuzz-corpus/``. An input that ends it is a
finding: once that is fixed, add the input to ``seeds/`` under a name of its own.
"""

from __future__ import annotations

import importlib
import shlex
import sys
import warnings
from pathlib import Path
from tempfile import TemporaryDirectory

import atheris

__all__ = ["main"]

HERE = Path(__file__).resolve().parent


def main() -> None:
    """Run the target that the first argument names."""
    targets = sorted(path.stem.removeprefix("fuzz_") for path in HERE.glob("fuzz_*.py"))
    target = sys.argv[1].removeprefix("--") if sys.argv[1:] else ""
    if target not in targets:
        raise SystemExit(f"{sys.argv[0]}: name a target: {', '.join(targets)}")
    with atheris.instrument_imports(include=["tvm_ffi_build"]):
        module = importlib.import_module(f"fuzz_{target}")
    # As the tests have it.
    warnings.simplefilter("error")
    options = ["-max_len=65536", "-timeout=10", "-rss_limit_mb=1024", *sys.argv[2:]]
    if all(option.startswith("-") for option in options):
        found = Path("fuzz-corpus", target)
        found.mkdir(parents=True, exist_ok=True)
        options += [str(found), str(HERE / "seeds" / target)]
    # Some targets know better than libFuzzer how to change what they take.
    changed = getattr(module, "changed", None)
    mutator = {"custom_mutator": lambda *args: changed(*args, atheris.Mutate)} if changed else {}
    with TemporaryDirectory() as folder:
        # To merge, libFuzzer starts this again through a shell with the same options; it skips those with two hyphens.
        command = [shlex.join([sys.executable, __file__]), f"--{target}", *options]
        atheris.Setup(command, lambda data: module.one(data, Path(folder)), **mutator)
        atheris.Fuzz()


if __name__ == "__main__":
    main()
