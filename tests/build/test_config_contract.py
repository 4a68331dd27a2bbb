"""Standard output of the path queries against the runtime's own command: every flag, and what flags do together."""

from __future__ import annotations

import json
import os
import sys
from itertools import chain, combinations
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from support.downloads import install_to
from support.processes import command_line, run
from support.project import ROOT

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

FLAGS = command_line(
    "--includedir --dlpack-includedir --cmakedir --sourcedir --libfiles --libdir --libs "
    "--cython-lib-path --cxxflags --cflags --ldflags"
)

# Answers every question in one process; started under the name that the runtime's module looks for.
DRIVER = """
import contextlib, io, json, sys
combinations = json.load(sys.stdin)
sys.argv = ["tvm-ffi-config"]
module = __import__({module!r}, fromlist=["x"])
answers = []
for combination in combinations:
    sys.argv = ["tvm-ffi-config", *combination]
    with contextlib.redirect_stdout(io.StringIO()) as out:
        try:
            {call}
        except SystemExit as end:
            assert not end.code, (combination, end.code)
    answers.append(out.getvalue())
json.dump(answers, sys.stdout)
"""
# The runtime's command, and each spelling of ours: a module with a call that runs it, and a command that starts it.
THEIRS = ("tvm_ffi.config", "module.__main__()")
SPELLINGS = {
    "module": (
        ("runpy", "module.run_module('tvm_ffi_build.config', run_name='__main__', alter_sys=True)"),
        ("-m", "tvm_ffi_build.config"),
    ),
    "sub-command": (
        (
            "runpy",
            "sys.argv.insert(1, 'config'); module.run_module('tvm_ffi_build', run_name='__main__', alter_sys=True)",
        ),
        ("-m", "tvm_ffi_build", "config"),
    ),
    # The function that the entry point names: two distributions install a command of that name.
    "script": (
        ("tvm_ffi_build.config", "sys.exit(module.main())"),
        ("-c", "import sys, tvm_ffi_build.config as c; sys.argv[0] = 'tvm-ffi-config'; sys.exit(c.main())"),
    ),
}


def combined_flags() -> list[list[str]]:
    """Return every flag, every two and three together, all but one, and all of them.

    Not none of them: each command explains itself in its own words.
    """
    counts = (1, 2, 3, len(FLAGS) - 1, len(FLAGS))
    subsets: Iterable[tuple[str, ...]] = chain.from_iterable(combinations(FLAGS, count) for count in counts)
    return [list(subset) for subset in subsets]


def answers(runtime: Path | None, module: str, call: str, questions: list[list[str]]) -> list[str]:
    done = run(
        sys.executable,
        "-c",
        DRIVER.format(module=module, call=call),
        input=json.dumps(questions),
        stdin=None,
        cwd="/",
        env=environment(runtime),
    )
    parsed: list[str] = json.loads(done.stdout)
    return parsed


def environment(runtime: Path | None) -> dict[str, str]:
    path = [str(ROOT)] if runtime is None else [str(runtime), str(ROOT)]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(path)}


@pytest.fixture(params=["oldest", "newest"])
def runtime(request: pytest.FixtureRequest) -> Path | None:
    """Return a folder to put on the search path: the oldest supported runtime, or none for the installed one."""
    return request.getfixturevalue("oldest_runtime") if request.param == "oldest" else None


def test_combined_flags_print_what_the_runtimes_command_prints(runtime: Path | None) -> None:
    questions = combined_flags()
    theirs = answers(runtime, *THEIRS, questions)
    ours = answers(runtime, "tvm_ffi_build.config", "module.main(sys.argv[1:])", questions)
    single = dict(zip((question[0] for question in questions if len(question) == 1), zip(theirs, ours)))
    # The two that are meant to differ stand for each other, as whole lines.
    replaced = {single[flag][0]: single[flag][1] for flag in ("--cmakedir", "--sourcedir")}
    assert all(theirs_line != ours_line for theirs_line, ours_line in replaced.items())
    for question, their, our in zip(questions, theirs, ours):
        lines = their.splitlines(keepends=True)
        # The folder that --sourcedir names is also the start of others' paths, but never a whole line of theirs.
        assert "".join(replaced.get(line, line) for line in lines) == our, question


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_each_spelling_of_the_command(runtime: Path | None, spelling: str) -> None:
    """One process answers for each flag; a process of its own, started as users start it, answers for all flags."""
    flags = [flag for flag in FLAGS if flag not in {"--cmakedir", "--sourcedir"}]
    questions = [*([flag] for flag in flags), flags]
    asked, command = SPELLINGS[spelling]
    theirs = answers(runtime, *THEIRS, questions)
    assert dict(zip(flags, answers(runtime, *asked, questions))) == dict(zip(flags, theirs))
    env = environment(runtime)
    assert run(sys.executable, "-m", "tvm_ffi.config", *flags, env=env, cwd="/").stdout == theirs[-1]
    assert run(sys.executable, *command, *flags, env=env, cwd="/").stdout == theirs[-1]


def test_a_runtime_of_another_platform_is_described_without_being_loaded(
    unpacked_runtime: Callable[..., Path],
) -> None:
    folder = unpacked_runtime("0.1.15.post2", "x86_64-pc-windows-msvc")
    done = run(sys.executable, "-m", "tvm_ffi_build.config", "--libs", "--ldflags", "--json", "--runtime", folder)
    libs, _, rest = done.stdout.partition("\n")
    assert libs == str(folder / "tvm_ffi/lib/tvm_ffi.lib")
    assert json.loads(rest)["platform"] == "windows"


def test_nothing_of_the_runtime_is_imported() -> None:
    code = (
        "import sys, tvm_ffi_build.config as c; c.main(['--json']); "
        "assert not {'tvm_ffi', 'torch', 'ctypes'} & set(sys.modules); "
        "assert 'libtvm_ffi' not in open('/proc/self/maps').read()"
    )
    run(sys.executable, "-c", code)


@pytest.mark.parametrize("how", ["target", "user", "editable"])
def test_the_ways_to_install_a_runtime(how: str, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    """Install where pip can put it; the query has to name that very place."""
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    installed: Path
    if how == "target":
        installed = request.getfixturevalue("unpacked_runtime")("0.1.15.post2")
        env["PYTHONPATH"] = f"{installed}{os.pathsep}{ROOT}"
        python = [sys.executable]
    elif how == "user":
        # A folder that Python looks into only for a user's packages, and only outside of virtual environments.
        base = run(sys.executable, "-c", "import sys; print(sys._base_executable)").stdout.strip()
        env["PYTHONUSERBASE"] = str(tmp_path)
        installed = Path(run(base, "-m", "site", "--user-site", env=env).stdout.strip())
        install_to(installed, "--no-deps", "apache-tvm-ffi==0.1.15.post2")
        python = [base]
    else:
        # The layout of scikit-build-core's editable installs: what is compiled lies in site-packages, the rest is
        # found in the checkout by an import hook.
        source = request.getfixturevalue("unpacked_runtime")("0.1.15.post2")
        checkout, installed = tmp_path / "checkout", tmp_path / "site"
        for link, target in (
            (checkout / "include", source / "tvm_ffi/include"),
            (checkout / "python/tvm_ffi", source / "tvm_ffi"),
            (installed / "tvm_ffi/lib", source / "tvm_ffi/lib"),
        ):
            link.parent.mkdir(parents=True, exist_ok=True)
            link.symlink_to(target)
        dist_info = installed / "apache_tvm_ffi-0.1.15.post2.dist-info"
        dist_info.mkdir()
        (dist_info / "METADATA").write_text("Name: apache-tvm-ffi\nVersion: 0.1.15.post2\n", encoding="utf-8")
        url = {"url": checkout.as_uri(), "dir_info": {"editable": True}}
        (dist_info / "direct_url.json").write_text(json.dumps(url), encoding="utf-8")
        env["PYTHONPATH"] = f"{installed}{os.pathsep}{ROOT}"
        python = [sys.executable]
    done = run(*python, "-m", "tvm_ffi_build.config", "--version", "--libdir", env=env, cwd=tmp_path)
    libdir, version = done.stdout.splitlines()
    assert Path(libdir) == (installed / "tvm_ffi/lib").resolve()
    assert version == "0.1.15.post2"
