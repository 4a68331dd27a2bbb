"""What stubs cost: ``python tests/benchmarks/stubs.py``."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import time
import timeit
import types
from functools import partial
from pathlib import Path

from measure import EXAMPLE, ROOT, Sample, compare, in_turn, judge, quiet, say, show, workplace

from tvm_ffi_build.stubgen.generate import generate
from tvm_ffi_build.stubgen.new_package.packages import Init
from tvm_ffi_build.stubgen.registry.snapshot import read_snapshot

ROUNDS = 11
GROWTH_ROUNDS = 3
CALLS = 100_000


def main() -> None:
    """Measure and print."""
    with workplace(str(ROOT), "cmake", "ninja") as (folder, programs):
        shutil.copytree(EXAMPLE, folder / "example")
        build = folder / "build"
        configure: list[str | Path] = [programs / "cmake", "-G", "Ninja", "-S", folder / "example", "-B", build]
        cmakedir = subprocess.run(
            [programs / "python", "-m", "tvm_ffi_build.config", "--cmakedir"],
            check=True,
            cwd=folder,
            capture_output=True,
            text=True,
        ).stdout.strip()
        configure += [f"-DCMAKE_MAKE_PROGRAM={programs / 'ninja'}", f"-Dtvm_ffi_DIR={cmakedir}"]
        quiet(*configure, f"-DPython_EXECUTABLE={programs / 'python'}")()
        quiet(programs / "cmake", "--build", build)()
        library = build / "libmy_ffi_extension.so"
        stubs = folder / "example/python/my_ffi_extension"
        for tool in ("ours", "theirs"):
            shutil.copytree(stubs, folder / tool)
        # A directive of ours, unknown to the other tool.
        (folder / "theirs/_library.py").unlink()
        commands: dict[str, list[str | Path]] = {
            "tvm-ffi-build stubgen": [programs / "tvm-ffi-build", "stubgen", folder / "ours", "--dlls", library],
            "the runtime's tvm-ffi-stubgen": [programs / "tvm-ffi-stubgen", folder / "theirs", "--dlls", library],
            "a build step with nothing to do": [programs / "cmake", "--build", build],
            "the same without stubs": [programs / "cmake", "--build", build, "--target", "my_ffi_extension"],
        }
        samples = in_turn({title: quiet(*command) for title, command in commands.items()}, ROUNDS)
        show(f"Stubs of the example ({ROUNDS} rounds)", samples)
        compare(samples, "tvm-ffi-build stubgen", "the runtime's tvm-ffi-stubgen", 1)
        nothing = samples["a build step with nothing to do"].beyond(samples["the same without stubs"])
        judge("a step with nothing to do, beyond CMake itself", nothing, 50, "ms")
    growth()
    calls()


def growth() -> None:
    """Print how the time grows with the registry, without a library; of some rounds the fastest counts."""
    say("A registry of many functions and classes, from a snapshot")
    seconds = []
    for size in (1, 2, 4, 8):
        functions, classes = 625 * size, 125 * size
        snapshot = read_snapshot(registry(functions, classes), "made up")
        rounds = []
        for _ in range(GROWTH_ROUNDS):
            started = time.perf_counter()
            generate({}, snapshot, init=Init(Path("python"), "made-up", "made_up", "made_up."))
            rounds.append(time.perf_counter() - started)
        seconds.append(min(rounds))
        say(f"  {seconds[-1]:6.2f} s  {functions} functions, {classes} classes")
    judge("stubs of 5,000 functions and 1,000 classes", seconds[-1], 3, "s")
    judge("the same / half as many", seconds[-1] / seconds[-2], 2.2)


def calls() -> None:
    """Print what a call costs that goes through a generated definition, which has default values and keywords."""
    import tvm_ffi.testing  # noqa: PLC0415  (registers what is called; the other numbers need no runtime here)

    registered = tvm_ffi.get_global_func("testing.add_one")
    schema = '{"type": "ffi.Function", "named_args": {"return": [{"type": "int"}], "params": [{"type": "int"}]}}'
    functions = {"testing.add_one": {"type": schema, "doc": None, "signature": "x=1"}}
    data = {"schema": 1, "runtime": "1", "functions": functions, "types": {}, "libraries": {}}
    text = "".join(
        f"# tvm-ffi-stubgen(begin): {kind}\n# tvm-ffi-stubgen(end)\n" for kind in ("import-section", "global/testing")
    )
    path = Path("calls.py")
    filled = generate({path: text}, read_snapshot(json.dumps(data), "made up")).texts[path]
    # As Python imports it: the definition finds the registered function in the module.
    sys.modules["calls"] = module = types.ModuleType("calls")
    scope = vars(module)
    exec(compile(filled, "calls.py", "exec"), scope)  # noqa: S102
    wrapped = scope["add_one"]
    assert wrapped is not registered
    assert wrapped(x=2) == 3
    samples = {}
    for title, call in {"the registered function": registered, "the generated one": wrapped}.items():
        rounds = timeit.repeat(partial(call, 1), number=CALLS, repeat=ROUNDS)
        samples[title] = Sample(tuple(seconds / CALLS * 1e9 for seconds in rounds))
    say(f"A call with one argument ({ROUNDS} rounds of {CALLS} calls)")
    for title, sample in samples.items():
        say(f"  {sample.median:7.0f} ns  {title}")
    beyond = samples["the generated one"].beyond(samples["the registered function"])
    judge("a call of a function with keywords, beyond the registered one", beyond, 150, "ns")


def registry(functions: int, classes: int) -> str:
    """Make a snapshot up, of twenty prefixes."""
    number, text = '{"type": "int"}', '{"type": "ffi.Array", "args": [{"type": "ffi.String"}]}'
    schema = f'{{"type": "ffi.Function", "named_args": {{"return": [{number}], "params": [{text}, {number}]}}}}'
    field = {"type": text, "doc": "A field.", "frozen": False, "init": True, "kw_only": False, "default": None}
    member = {"type": schema, "doc": "A method.", "static": True}
    types = {
        f"made_up.p{i % 20}.C{i}": {
            "parent": "ffi.Object",
            "python": None,
            "init": True,
            "fields": [{"name": f"f{n}", **field} for n in range(4)],
            "methods": [{"name": f"m{n}", **member} for n in range(4)],
        }
        for i in range(classes)
    }
    types["ffi.Object"] = {"parent": None, "python": "tvm_ffi.Object", "init": False, "fields": [], "methods": []}
    named = {f"made_up.p{i % 20}.f{i}": {"type": schema, "doc": None} for i in range(functions)}
    return json.dumps({"schema": 1, "runtime": "1", "functions": named, "types": types, "libraries": {}})


if __name__ == "__main__":
    main()
