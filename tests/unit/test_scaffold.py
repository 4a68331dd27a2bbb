"""``tvm-ffi-build new``: names, places, what is written, and what others say of it."""

from __future__ import annotations

import builtins
import os
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from support.errors import read_error
from support.processes import run
from support.project import ROOT
from support.reviews import TOOLS, argued_checks, failed_checks, follows_schema, unargued, zizmor_findings

from tvm_ffi_build import plugin
from tvm_ffi_build.__main__ import main
from tvm_ffi_build.contract import read_ledger
from tvm_ffi_build.cross.runtimes import available_platforms
from tvm_ffi_build.cross.targets import parse_target
from tvm_ffi_build.errors import MissingToolError, NewProjectError, OutputError
from tvm_ffi_build.new_project import ProjectNames, check_name, find_templates, render, write_project
from tvm_ffi_build.new_project.templates import CIS, find_template
from tvm_ffi_build.wheels.markers import SUPPORTED_PYTHONS

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import PurePosixPath

KINDS = [template.name for template in find_templates()]
CROSS = [template.name for template in find_templates() if not template.not_cross]
NAMES = ProjectNames("my-kernels", "my_kernels")
# Machines of GitHub's, and the platforms that they are.
RUNNERS = {
    "ubuntu-24.04": "manylinux_*_x86_64",
    "ubuntu-24.04-arm": "manylinux_*_aarch64",
    "macos-15": "macosx_*_arm64",
    "windows-2025": "win_amd64",
    "windows-11-arm": "win_arm64",
}


def files_of(kind: str, names: ProjectNames = NAMES, ci: str = "cibuildwheel") -> Mapping[PurePosixPath, str]:
    return render(find_template(kind), names, ci)


@pytest.fixture(params=KINDS)
def project(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """Return a new project of each kind."""
    write_project(tmp_path / "my-kernels", files_of(request.param))
    return tmp_path / "my-kernels"


@pytest.fixture(params=CROSS)
def cross_project(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """Return a new project of each kind that can be built for other platforms, whose CI does so."""
    write_project(tmp_path / "my-kernels", files_of(request.param, ci="cross"))
    return tmp_path / "my-kernels"


# ---- Names -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "distribution", "package"),
    [
        ("kernels9", "kernels9", "kernels9"),
        ("my-kernels", "my-kernels", "my_kernels"),
        ("my_kernels", "my-kernels", "my_kernels"),
        ("My.Kernels", "my-kernels", "my_kernels"),
        ("a-._b", "a-b", "a_b"),
        ("x", "x", "x"),
        ("None", "none", "none"),  # a keyword only as it is written here
    ],
)
def test_a_name_is_normalized_as_pep_503_has_it(name: str, distribution: str, package: str) -> None:
    assert check_name(name) == ProjectNames(distribution, package)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("", "'' is not a valid project name"),
        ("my kernels", "write my-kernels"),
        ("-kernels", "write kernels"),
        ("kernels.", "write kernels"),
        ("größe", "write groe"),
        ("日本", "write my-kernels"),
        ("kernels\n", "write kernels"),
        ("../kernels", "write kernels"),
        ("a/b", "write a-b"),
        ("class ", "write my-kernels"),
        ("\uff41\uff42", "write ab"),  # full width letters, which Python would take for plain ones
        ("3d-kernels", "start with a letter; write my-3d-kernels"),
        ("class", "class is a keyword of Python; write class-kernels"),
        ("template", "template is a keyword of C++"),
        ("and_eq", "and_eq is a keyword of C++"),
        ("wchar-t", "wchar_t is a keyword of C++"),
        ("json", "json is a module of Python's standard library"),
        ("ConfigParser", "configparser is a module of Python's standard library"),
        ("linux", "linux is a function or macro of C, or a namespace of C++; write linux-kernels"),
        ("std", "std is a function or macro of C, or a namespace of C++"),
        ("sync", "sync is a function or macro of C, or a namespace of C++"),
        ("install", "install is a target of CMake, or a library of the system; write install-kernels"),
        ("m", "m is a target of CMake, or a library of the system"),
        ("aux", "aux is a device on Windows"),
        ("COM1", "com1 is a device on Windows"),
        ("tvm_ffi", "tvm_ffi is what projects like this one need; write tvm-ffi-kernels"),
        ("TVM-FFI.build", "tvm_ffi_build is what projects like this one need"),
        ("apache-tvm-ffi", "apache_tvm_ffi is what"),
        ("numpy", "numpy is what"),
    ],
)
def test_a_name_that_cannot_be_used_is_answered_by_one_that_can(name: str, said: str) -> None:
    with pytest.raises(NewProjectError) as caught:
        check_name(name)
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)
    (suggested,) = re.findall(r"; write ([a-z0-9-]+)", str(caught.value))
    check_name(suggested)


def test_an_installed_package_is_not_shadowed() -> None:
    with pytest.raises(
        NewProjectError, match=r"'hypothesis' is taken: .*hypothesis.__init__\.py; write hypothesis-kernels"
    ):
        check_name("hypothesis")
    assert check_name("hypothesis", may_be_installed=True).package == "hypothesis"


def test_a_folder_that_has_the_name_by_chance_is_no_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "some_kernels").mkdir()
    monkeypatch.syspath_prepend(str(tmp_path))
    assert check_name("some-kernels").package == "some_kernels"


def test_the_standard_library_is_known_on_pythons_that_have_no_list_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(sys, "stdlib_module_names", raising=False)
    for name in ("json", "ConfigParser", "sys"):
        with pytest.raises(NewProjectError, match="standard library"):
            check_name(name)


# ---- Places ------------------------------------------------------------------------------------------------------


def new(*arguments: str | Path) -> None:
    main(["new", *map(str, arguments)])


def fails(capsys: pytest.CaptureFixture[str], *arguments: str | Path) -> tuple[int, str]:
    """Return the exit code of the command and its one line."""
    with pytest.raises(SystemExit) as caught:
        new(*arguments)
    answer = capsys.readouterr()
    assert answer.out == ""
    assert isinstance(caught.value.code, int)
    return caught.value.code, read_error(answer.err)


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return an empty working folder."""
    folder = tmp_path / "here"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder


def texts(folder: Path) -> dict[str, str]:
    return {
        path.relative_to(folder).as_posix(): path.read_text(encoding="utf-8")
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_python_3_9_and_3_10_build_it_too(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As pip does with an sdist: there the plugin can set no tag, and stops where the project does not say its own."""
    monkeypatch.setattr(plugin, "HAS_CONFIG_ENTRY_POINT", False)
    monkeypatch.setenv("CMAKE_ARGS", "")
    monkeypatch.chdir(project)
    provider = plugin.RuntimeRequirement()
    provider.build_state("wheel")
    provider.dynamic_metadata({}, {"name": "my-kernels"})
    assert "TVM_FFI_" in os.environ["CMAKE_ARGS"]


def test_the_answer_is_the_folder_and_the_rest_is_said_beside(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    new("My_Kernels")
    answer = capsys.readouterr()
    assert answer.out == "my-kernels\n"
    assert "my-kernels, imported as my_kernels, from the template cpp" in answer.err
    assert [path.name for path in here.iterdir()] == ["my-kernels"]
    assert texts(here / "my-kernels") == {str(path): text for path, text in files_of("cpp").items()}


def test_a_new_folder_may_be_entered_by_all_that_the_mask_admits(here: Path) -> None:
    new("my-kernels", "-q")
    mask = os.umask(0)
    os.umask(mask)
    assert (here / "my-kernels").stat().st_mode & 0o777 == 0o777 & ~mask


def test_folders_above_are_made(here: Path) -> None:
    new("my-kernels", "--path", "a/b/c", "-q")
    assert (here / "a/b/c/pyproject.toml").is_file()


def test_the_working_folder_may_be_the_projects_if_it_is_empty(here: Path) -> None:
    new("my-kernels", "--path", ".", "-q")
    assert (here / "pyproject.toml").is_file()
    assert not list(here.glob(".tvm-ffi-build-*"))


def test_nothing_is_overwritten_without_force(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    new("my-kernels", "-q")
    capsys.readouterr()
    readme, mine = here / "my-kernels/README.md", here / "my-kernels/notes.txt"
    readme.write_text("mine", encoding="utf-8")
    mine.write_text("mine too", encoding="utf-8")
    code, error = fails(capsys, "my-kernels")
    assert (code, error) == (
        2,
        f"{here}/my-kernels is not empty; choose another directory with --path, or write over its files with --force",
    )
    assert readme.read_text(encoding="utf-8") == "mine"
    new("my-kernels", "--force")
    assert f"written over: {readme}" in capsys.readouterr().err
    assert texts(here / "my-kernels") == {
        "notes.txt": "mine too",
        **{str(path): text for path, text in files_of("cpp").items()},
    }


def test_a_place_in_another_project_is_refused(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (here / "pyproject.toml").write_text("", encoding="utf-8")
    (here / "sub").mkdir()
    code, error = fails(capsys, "my-kernels", "--path", "sub/deeper/my-kernels")
    assert (code, error) == (
        2,
        (
            f"{here}/sub/deeper/my-kernels is part of the project {here}; "
            "choose another directory with --path, or pass --force"
        ),
    )
    assert not list((here / "sub").iterdir())
    new("my-kernels", "--path", "sub/my-kernels", "--force", "-q")
    assert (here / "sub/my-kernels/pyproject.toml").is_file()


@pytest.mark.parametrize("force", [[], ["--force"]])
def test_a_file_where_the_folder_is_to_be(here: Path, capsys: pytest.CaptureFixture[str], force: list[str]) -> None:
    (here / "my-kernels").write_text("mine", encoding="utf-8")
    code, error = fails(capsys, "my-kernels", *force)
    assert (code, error) == (2, f"{here}/my-kernels is not a directory; choose another directory with --path")
    code, error = fails(capsys, "my-kernels", "--path", "my-kernels/deeper", *force)
    assert (code, error) == (2, f"{here}/my-kernels is not a directory; choose another directory with --path")
    assert (here / "my-kernels").read_text(encoding="utf-8") == "mine"


def test_with_force_too_nothing_is_written_outside_of_the_folder(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (here / "elsewhere").mkdir()
    (here / "my-kernels").mkdir()
    (here / "my-kernels/src").symlink_to(here / "elsewhere")
    code, error = fails(capsys, "my-kernels", "--force")
    assert (code, error) == (
        2,
        f"{here}/my-kernels/src is not a directory of the project; choose another directory with --path",
    )
    assert not list((here / "elsewhere").iterdir())
    assert [path.name for path in (here / "my-kernels").iterdir()] == ["src"]


def test_a_link_in_place_of_a_file_is_replaced_and_not_followed(here: Path) -> None:
    outside = here / "outside.txt"
    outside.write_text("mine", encoding="utf-8")
    (here / "my-kernels").mkdir()
    (here / "my-kernels/README.md").symlink_to(outside)
    new("my-kernels", "--force", "-q")
    assert outside.read_text(encoding="utf-8") == "mine"
    assert not (here / "my-kernels/README.md").is_symlink()


def test_a_folder_in_place_of_a_file_stays(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (here / "my-kernels/README.md").mkdir(parents=True)
    code, error = fails(capsys, "my-kernels", "--force")
    assert (code, error) == (
        2,
        f"{here}/my-kernels/README.md is a directory, but must be a file; choose another directory with --path",
    )
    assert [path.name for path in (here / "my-kernels").iterdir()] == ["README.md"]


def test_what_fails_half_way_leaves_nothing(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    written: list[Path] = []

    def write(path: Path, data: bytes) -> int:
        written.append(path)
        if len(written) == 5:
            raise OSError(28, "No space left on device")
        return len(data)

    monkeypatch.setattr(Path, "write_bytes", write)
    with pytest.raises(
        OutputError, match="cannot be written: No space left on device; choose another directory with --path"
    ):
        write_project(here / "my-kernels", files_of("cpp"))
    assert list(here.iterdir()) == []
    written.clear()
    (here / "my-kernels").mkdir()
    with pytest.raises(OutputError):
        write_project(here / "my-kernels", files_of("cpp"))
    assert list((here / "my-kernels").iterdir()) == []


def test_a_new_folder_appears_with_all_that_is_in_it(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By one renaming, and not file by file."""
    renamed: list[tuple[int, Path]] = []

    def rename(path: Path, target: Path) -> None:
        renamed.append((len(texts(path)), target))

    monkeypatch.setattr(Path, "rename", rename)
    write_project(here / "my-kernels", files_of("cpp"))
    assert renamed == [(len(files_of("cpp")), here / "my-kernels")]
    assert list(here.iterdir()) == []


@pytest.mark.slow  # it mounts
def test_a_folder_that_cannot_be_written(
    tmp_path: Path, read_only: Callable[[Path], Path], capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    locked = read_only(folder)
    code, error = fails(capsys, "my-kernels", "--path", locked / "my-kernels")
    assert code == 2
    assert re.fullmatch(rf"{locked} cannot be written: .*; choose another directory with --path", error)


# ---- Templates ---------------------------------------------------------------------------------------------------


def test_the_list_has_each_folder_with_its_summary(capsys: pytest.CaptureFixture[str]) -> None:
    new("--list")
    lines = capsys.readouterr().out.splitlines()
    folders = {path.name for path in (ROOT / "templates").iterdir() if path.is_dir()} - {"common", "cross"}
    assert {line.split()[0] for line in lines} == folders == {"c", "cpp", "cuda", "header-only", "mixed"}
    assert all(re.fullmatch(r"[a-z-]+ +\S.{20,}", line) for line in lines)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ("cp", "cpp or c"),
        ("CPP", "cpp"),
        ("headeronly", "header-only"),
        ("cude", "cuda"),
        ("rust", "c or cpp or cuda or header-only or mixed"),
        ("common", "c or cpp or cuda or header-only or mixed"),
        ("../cpp", "cpp"),
    ],
)
def test_a_template_that_there_is_not(here: Path, capsys: pytest.CaptureFixture[str], wrong: str, said: str) -> None:
    code, error = fails(capsys, "my-kernels", "--template", wrong)
    assert code == 2
    assert error == f"unknown template {wrong!r}; write {said}, or run: tvm-ffi-build new --list"
    assert not list(here.iterdir())


def test_without_a_name_the_usage_is_shown(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        new()
    assert caught.value.code == 2
    assert "NAME is missing, such as my-kernels" in capsys.readouterr().err


def test_without_jinja2_one_line_says_how_to_get_it(
    here: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    imported = builtins.__import__

    def without(name: str, *arguments: Any, **options: Any) -> Any:
        if name == "jinja2":
            raise ImportError(name)
        return imported(name, *arguments, **options)

    monkeypatch.setattr(builtins, "__import__", without)
    code, error = fails(capsys, "my-kernels")
    assert code == MissingToolError.exit_code
    assert error == (
        "Jinja2, which fills in the templates, is not installed; run: python -m pip install 'tvm-ffi-build[new]'"
    )
    assert not list(here.iterdir())


@pytest.mark.parametrize("ci", CIS)
@pytest.mark.parametrize("kind", KINDS)
def test_every_project_has_what_it_needs_and_nothing_unfilled(kind: str, ci: str) -> None:
    if kind not in CROSS and ci == "cross":
        with pytest.raises(NewProjectError, match=rf"--ci cross is not for the template {kind}: .*; leave it out"):
            files_of(kind, ci=ci)
        return
    found = {str(path): text for path, text in files_of(kind, ci=ci).items()}
    assert {
        "pyproject.toml",
        "CMakeLists.txt",
        "README.md",
        ".gitignore",
        ".github/workflows/wheels.yml",
        ".github/dependabot.yml",
        "python/my_kernels/__init__.py",
        "python/my_kernels/py.typed",
        "tests/test_my_kernels.py",
    } <= set(found)
    for name, text in found.items():
        assert not re.search(r"<\{|\}>|\{%|%\}|<#|\bPACKAGE\b|\bjinja\b", text), name
        assert not re.search(r"[ \t]$|\n\n\n\n|\n\n\Z", text, re.MULTILINE), name
        assert text == "" or text.endswith("\n"), name
        assert max(map(len, text.splitlines()), default=0) <= 120, name


def test_no_file_of_a_template_stands_in_two_of_them() -> None:
    """What is common is in common/."""
    seen: dict[str, Path] = {}
    for path in sorted((ROOT / "templates").rglob("*.jinja")):
        text = path.read_text(encoding="utf-8")
        assert not text or text not in seen, (path, seen.get(text))
        seen[text] = path


def test_another_name_is_all_that_differs() -> None:
    for kind in KINDS:
        mine, other = files_of(kind), files_of(kind, ProjectNames("quick-sort", "quick_sort"))

        def renamed(text: object) -> str:
            return str(text).replace("my_kernels", "quick_sort").replace("my-kernels", "quick-sort")

        assert {renamed(path): renamed(text) for path, text in mine.items()} == {
            str(path): text for path, text in other.items()
        }


# ---- What others say of it ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("ci", CIS)
def test_the_workflow_is_one(tmp_path: Path, ci: str) -> None:
    project = tmp_path / "my-kernels"
    for kind in CROSS if ci == "cross" else KINDS:
        write_project(project, files_of(kind, ci=ci), force=True)
        assert follows_schema(project / ".github/workflows/wheels.yml", "github-workflows")
        assert follows_schema(project / ".github/dependabot.yml", "dependabot")


def test_the_schema_finds_what_is_wrong(project: Path) -> None:
    path = project / ".github/workflows/wheels.yml"
    path.write_text(path.read_text(encoding="utf-8").replace("runs-on:", "run-on:", 1), encoding="utf-8")
    assert not follows_schema(path, "github-workflows")


@pytest.mark.parametrize(
    ("platform", "arch", "identifier"),
    [
        ("linux", "x86_64", "manylinux_x86_64"),
        ("linux", "aarch64", "manylinux_aarch64"),
        ("macos", "arm64", "macosx_arm64"),
        ("windows", "auto64", "win_amd64"),
    ],
)
def test_cibuildwheel_runs_one_interpreter_a_platform(project: Path, platform: str, arch: str, identifier: str) -> None:
    done = run(TOOLS / "cibuildwheel", "--print-build-identifiers", "--platform", platform, "--archs", arch, project)
    pythons = ["cp310", "cp311", "cp312", "cp314t"] if "nanobind" in texts(project)["pyproject.toml"] else ["cp312"]
    assert done.stdout.split() == [f"{python}-{identifier}" for python in pythons]


def test_cibuildwheel_has_no_machine_of_32_bits_to_build_for(project: Path) -> None:
    done = run(TOOLS / "cibuildwheel", "--print-build-identifiers", "--platform", "windows", project)
    assert all(identifier.endswith("win_amd64") for identifier in done.stdout.split())


def test_cibuildwheel_is_told_to_repair_and_audit(project: Path) -> None:
    settings = tomllib.loads(texts(project)["pyproject.toml"])["tool"]["cibuildwheel"]
    assert settings["repair-wheel-command"] == "tvm-ffi-build repair -w {dest_dir} {wheel}"
    assert settings["audit-command"] == "tvm-ffi-build audit {wheel}"
    # In an environment of its own: with what repairs, since the tables of those tools are read.
    assert settings["audit-requires"] == ["tvm-ffi-build[wheel]"]


def test_one_wheel_is_tested_on_several_pythons_and_published_without_a_token(project: Path) -> None:
    from ruamel.yaml import YAML  # noqa: PLC0415  (comes with check-jsonschema)

    jobs = YAML(typ="safe").load(texts(project)[".github/workflows/wheels.yml"])["jobs"]
    assert {"3.10", f"3.{SUPPORTED_PYTHONS[-1]}", "3.14t"} <= set(jobs["test"]["strategy"]["matrix"]["python"])
    assert jobs["test"]["strategy"]["matrix"]["os"] == jobs["build"]["strategy"]["matrix"]["os"]
    check_what_is_published(project)


def check_what_is_published(project: Path) -> None:
    from ruamel.yaml import YAML  # noqa: PLC0415  (comes with check-jsonschema)

    workflow = YAML(typ="safe").load(texts(project)[".github/workflows/wheels.yml"])
    # A push after the release does not cancel it.
    assert workflow["concurrency"]["cancel-in-progress"] == "${{ github.event_name != 'release' }}"
    jobs = workflow["jobs"]
    assert jobs["publish"]["permissions"] == {"id-token": "write"}
    assert set(jobs["publish"]["needs"]) == set(jobs) - {"publish"}
    assert "secrets." not in texts(project)[".github/workflows/wheels.yml"]


def test_or_each_is_built_on_a_linux_machine_and_tested_on_its_own(cross_project: Path) -> None:
    from ruamel.yaml import YAML  # noqa: PLC0415  (comes with check-jsonschema)

    jobs = YAML(typ="safe").load(texts(cross_project)[".github/workflows/wheels.yml"])["jobs"]
    platforms = [parse_target(tag) for tag in jobs["build"]["strategy"]["matrix"]["platform"]]
    assert {target.family for target in platforms} == set(available_platforms(read_ledger().releases[-1]))
    assert "matrix" not in jobs["build"]["runs-on"]
    matrix = jobs["test"]["strategy"]["matrix"]
    systems = {*matrix["os"], *(one["os"] for one in matrix["include"])}
    assert {RUNNERS[system] for system in systems} == {target.family for target in platforms}
    assert "cibuildwheel" not in "".join(texts(cross_project).values())
    check_what_is_published(cross_project)


def test_every_check_of_repo_review_passes_or_is_argued_with(project: Path) -> None:
    assert failed_checks(project) == set()
    text = texts(project)["pyproject.toml"]
    # None without need: each fails where it is not left out.
    (project / "pyproject.toml").write_text(unargued(text), encoding="utf-8")
    assert failed_checks(project) == argued_checks(text)


def test_zizmor_finds_nothing(project: Path) -> None:
    assert zizmor_findings(project / ".github") == set()


def test_nor_where_all_is_built_on_linux(cross_project: Path) -> None:
    """What is published is compiled without a cache, into which somebody may have put something."""
    assert zizmor_findings(cross_project / ".github") == set()


def test_the_readmes_command_makes_a_project_beside_the_checkout(here: Path) -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    (command,) = re.findall(r"&& tvm-ffi-build (new .*)$", readme, re.MULTILINE)
    (here / "pyproject.toml").write_text("", encoding="utf-8")
    main(command.split())
    assert (here.parent / "my-kernels/pyproject.toml").is_file()


@pytest.mark.parametrize("has_uv", [True, False])
def test_what_to_run_now_is_what_can_be_run(
    here: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, has_uv: bool
) -> None:
    monkeypatch.setattr("shutil.which", lambda name: f"/bin/{name}" if has_uv else None)
    new("my-kernels", "--path", "a b")
    with_pip = "python -m pip install --upgrade pip && python -m pip install -e . --group dev && python -m pytest"
    command = "uv run pytest" if has_uv else with_pip
    assert capsys.readouterr().err.splitlines()[-1] == f"  cd 'a b' && {command}"


# ---- Its page ----------------------------------------------------------------------------------------------------

PAGE = (ROOT / "docs/how-to/new-project.md").read_text(encoding="utf-8")


def test_what_the_page_shows_is_what_comes(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shown = dict(re.findall(r"^\$ tvm-ffi-build (.*)\n((?:[^`].*\n)*)```$", PAGE, re.MULTILINE))
    assert set(shown) == {"new my-kernels", "new --list"}
    for command, answer in shown.items():
        main(command.split())
        assert capsys.readouterr().out == answer


def test_the_page_has_every_file_of_the_frame_and_its_commands_are_the_projects(project: Path) -> None:
    for name in texts(project):
        first = name.split("/")[0]
        assert f"`{name}`" in PAGE or f"`{first}/`" in PAGE or name in {"README.md", ".gitignore"}, name
    commands = re.findall(r"^```console\n([^$\n].*)\n```$", PAGE, re.MULTILINE)
    assert len(commands) == 2
    for command in commands:
        assert f"\n{command}\n" in texts(project)["README.md"]
