"""What an audit answers: text, JSON, SARIF, annotations; settings; exit codes."""

from __future__ import annotations

import json
import re
import sys
from email.message import Message
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import sarif_pydantic
from support.commands import run_command
from support.errors import last_error, read_error
from support.processes import run
from support.project import ROOT

from tvm_ffi_build.audit import Report, Settings, project_settings
from tvm_ffi_build.audit.findings import Finding, Problem
from tvm_ffi_build.audit.formats.data import Failure, as_json
from tvm_ffi_build.audit.formats.github import as_github
from tvm_ffi_build.audit.formats.sarif import as_sarif
from tvm_ffi_build.audit.formats.text import as_text
from tvm_ffi_build.audit.rule_pages import read_rule_page
from tvm_ffi_build.audit.rules import RULES
from tvm_ffi_build.errors import ProjectError, WheelError
from tvm_ffi_build.runtime import find_runtime

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable

BAD_NAME = "demo/lib\n::error::\x1b[2J50%,a:b.so"
FOUND = Report(
    Path("dist/demo-1.0-py3-none-win_amd64.whl"),
    (
        Finding(RULES["R203"], Problem("it calls the runtime", "link it", BAD_NAME, ("TVMFFIFunctionCall",) * 5)),
        Finding(RULES["R253"], Problem("it has no end", "add one")),
    ),
)
SKIPPED = Report(Path("dist/pure-1.0-py3-none-any.whl"), skipped="pure Python")
FAILED = Failure(Path("dist/bad file.whl"), WheelError("bad file.whl is not a zip archive"))


def test_text_is_a_line_a_finding_and_nothing_that_a_terminal_obeys() -> None:
    text = as_text([FOUND, SKIPPED])
    assert text.splitlines() == [
        "demo-1.0-py3-none-win_amd64.whl",
        "  R253 warning: it has no end",
        "       hint: add one",
        "  R203 error: it calls the runtime",
        "       TVMFFIFunctionCall, TVMFFIFunctionCall, TVMFFIFunctionCall and 2 more",
        "       hint: link it",
        "1 wheel: 1 error, 1 warning",
    ]
    named = as_text([Report(Path("x"), (Finding(RULES["R203"], Problem(BAD_NAME, "")),))])
    assert "\x1b" not in named
    assert len(named.splitlines()) == 3


def shown_in_the_manual() -> Any:
    manual = (ROOT / "docs/reference/audit.md").read_text(encoding="utf-8")
    return json.loads(manual.partition("```json\n")[2].partition("```")[0])


def test_json_is_as_the_manual_shows_it() -> None:
    shown = shown_in_the_manual()
    answer = json.loads(as_json([FOUND, SKIPPED], [FAILED]))
    assert answer["version"] == shown["version"] == 1
    assert answer.keys() == shown.keys()
    assert [one["status"] for one in answer["artifacts"]] == ["audited", "skipped", "failed"]
    for artifact in answer["artifacts"]:
        assert artifact.keys() == shown["artifacts"][0].keys()
        for finding in artifact["findings"]:
            assert finding.keys() == shown["artifacts"][0]["findings"][0].keys()
            assert isinstance(finding["evidence"], list)
    assert answer["artifacts"][0]["findings"][0]["file"] == BAD_NAME
    assert answer["artifacts"][0]["findings"][1]["file"] is None
    assert answer["artifacts"][2]["reason"] == str(FAILED.error)


def test_the_manual_explains_every_key() -> None:
    manual = (ROOT / "docs/reference/audit.md").read_text(encoding="utf-8")
    explained = set(re.findall(r"^\| `(\w+)` \| ", manual, re.MULTILINE))
    assert explained == {"version", *shown_in_the_manual()["artifacts"][0]}


def test_sarif_holds_nothing_but_what_the_standard_knows() -> None:
    """By a model of SARIF that somebody else has written: it takes the log, and gives back all of it."""
    log = json.loads(as_sarif([FOUND, SKIPPED], [FAILED]))
    model = sarif_pydantic.Sarif.model_validate(log)
    assert _without(json.loads(model.model_dump_json(exclude_none=True, by_alias=True)), "enabled") == log
    log["runs"][0]["results"][0]["level"] = "fatal"
    with pytest.raises(ValueError, match=r"results\.0\.level"):
        sarif_pydantic.Sarif.model_validate(log)


def _without(value: Any, key: str) -> Any:
    """Return JSON without the entries of a name, here one that the model fills in."""
    if isinstance(value, dict):
        return {name: _without(one, key) for name, one in value.items() if name != key}
    return [_without(one, key) for one in value] if isinstance(value, list) else value


def test_sarif_has_what_the_standard_asks_for() -> None:
    """Sections 3.13 to 3.58 of SARIF 2.1.0: what each object must have, and the words that it may use."""
    log = json.loads(as_sarif([FOUND, SKIPPED], [FAILED]))
    assert log["version"] == "2.1.0"
    (sarif,) = log["runs"]
    rules = sarif["tool"]["driver"]["rules"]
    assert sarif["tool"]["driver"]["name"]
    assert [rule["id"] for rule in rules] == list(RULES)
    assert {rule["defaultConfiguration"]["level"] for rule in rules} <= {"none", "note", "warning", "error"}
    assert [result["ruleId"] for result in sarif["results"]] == ["R203", "R253"]
    for result in sarif["results"]:
        assert rules[result["ruleIndex"]]["id"] == result["ruleId"]
        assert result["message"]["text"]
        (location,) = result["locations"]
        assert re.fullmatch(r"[!-~]+", location["physicalLocation"]["artifactLocation"]["uri"])
        assert all(isinstance(value, str) for value in result["partialFingerprints"].values())
    assert sarif["results"][0]["locations"][0]["logicalLocations"][0]["kind"] == "resource"
    (invocation,) = sarif["invocations"]
    assert invocation["executionSuccessful"] is False
    (notification,) = invocation["toolExecutionNotifications"]
    assert notification["message"]["text"] == str(FAILED.error)
    assert notification["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == "dist/bad%20file.whl"
    assert json.loads(as_sarif([], []))["runs"][0]["invocations"][0]["executionSuccessful"] is True


def test_sarif_has_what_the_manual_says_about_each_rule() -> None:
    (sarif,) = json.loads(as_sarif([], []))["runs"]
    for rule in sarif["tool"]["driver"]["rules"]:
        assert len(rule["fullDescription"]["text"]) > 20, rule
        assert rule["help"]["text"].startswith(rule["fullDescription"]["text"][:20]), rule
        assert "](" not in rule["help"]["text"], rule


def test_the_page_of_a_rule_is_where_this_package_has_its_documentation(monkeypatch: pytest.MonkeyPatch) -> None:
    assert not read_rule_page(RULES["P371"]).address
    distribution = Message()
    distribution["Project-URL"] = "Documentation, https://example.org/docs/"
    monkeypatch.setattr("importlib.metadata.metadata", lambda _: distribution)
    anchor = "p371-an-executable-stack-is-needed-error"
    assert read_rule_page(RULES["P371"]).address == f"https://example.org/docs/reference/audit.html#{anchor}"
    assert f" (https://example.org/docs/reference/audit.html#{anchor})" in as_github(
        [Report(Path("a.whl"), (Finding(RULES["P371"], Problem("it", "do")),))], []
    )
    (sarif,) = json.loads(as_sarif([], []))["runs"]
    assert all(rule["helpUri"].startswith("https://example.org/") for rule in sarif["tool"]["driver"]["rules"])


def test_rules_are_listed_and_explained() -> None:
    listed = run_command("audit", "--list-rules", ok=True).stdout
    assert [line.split()[0] for line in listed.splitlines()] == list(RULES)
    done = run_command("audit", "--explain", "p371", ok=True)
    assert done.stdout.startswith("P371: an executable stack is needed (error)\n\nFrom glibc 2.41")
    wrong = run_command("audit", "--explain", "P37")
    assert (wrong.returncode, wrong.stdout) == (2, "")
    assert read_error(wrong.stderr).startswith("unknown rule: P37; did you mean P37")
    assert read_error(run_command("audit").stderr).startswith("no wheel, directory or library was given; ")


def test_statistics_a_file_and_no_failure(make_wheel: Callable[..., Path], tmp_path: Path) -> None:
    wheel = make_wheel({"demo/a.h": b"", "demo/b.h": b"", "demo/__init__.py": b""}, metadata=REQUIRED)
    done = run_command("audit", wheel, "--exit-zero", "--statistics", "--output-file", tmp_path / "report.txt")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert (tmp_path / "report.txt").read_text(encoding="utf-8").startswith("1  C417  error: ")
    refused = run_command("audit", wheel, "--output-file", tmp_path)
    assert refused.returncode == 2
    assert "cannot be written" in read_error(refused.stderr)


def test_annotations_cannot_be_broken_out_of() -> None:
    named = Report(Path("dist/a,b:50%.whl"), (Finding(RULES["R203"], Problem(BAD_NAME, "link it")),))
    lines = as_github([named, FOUND], [FAILED]).splitlines()
    assert len(lines) == 4
    assert lines[0].startswith(
        "::error file=dist/a%2Cb%3A50%25.whl,title=R203 a library uses the runtime without linking to it::demo/"
    )
    assert "50%25,a:b.so; link it" in lines[0]
    assert lines[2].startswith("::warning ")
    assert lines[3] == "::error file=dist/bad file.whl,title=could not be audited::bad file.whl is not a zip archive"


def write_settings(folder: Path, text: str) -> Path:
    (folder / "pyproject.toml").write_text(f"[tool.tvm-ffi-build.audit]\n{text}\n", encoding="utf-8")
    return folder


def test_settings_of_a_project(tmp_path: Path) -> None:
    assert project_settings(tmp_path) == Settings()
    text = 'select = ["R"]\nignore = ["R207"]\nstrict = true\nexternal = ["libx*"]\ndebug-share = 1\n'
    settings = project_settings(write_settings(tmp_path, f'{text}per-file-ignores = {{"demo/*" = ["R2"]}}'))
    assert settings == Settings(("R",), ("R207",), (("demo/*", ("R2",)),), True, ("libx*",), 1.0)
    assert [rule for rule in ("A101", "R201", "R207") if settings.asks_for(rule)] == ["R201"]
    assert settings.ignores("R201", "demo/a.so")
    assert not settings.ignores("P301", "demo/a.so")
    assert not settings.ignores("R201", "other/a.so")
    narrowed = settings.narrowed(("C4", "R2"), ("C406",), strict=False)
    assert [rule for rule in RULES if rule[0] == "C" and narrowed.asks_for(rule)] == [
        rule for rule in RULES if rule[0] == "C" and rule != "C406"
    ]
    assert not narrowed.asks_for("R207")
    assert narrowed.strict


def test_what_repairs_leave_out_users_have_from_elsewhere(tmp_path: Path) -> None:
    repair = '[tool.tvm-ffi-build.repair]\nexclude = ["liby.so.*"]'
    assert project_settings(write_settings(tmp_path, f'external = ["libx*"]\n{repair}')).external == (
        "libx*",
        "liby.so.*",
    )


def test_the_manual_shows_every_setting(tmp_path: Path) -> None:
    manual = (ROOT / "docs/reference/audit.md").read_text(encoding="utf-8")
    shown = manual.partition("```toml\n")[2].partition("```")[0]
    (tmp_path / "pyproject.toml").write_text(shown, encoding="utf-8")
    settings = project_settings(tmp_path)
    assert settings.external == ("libmine.so*",)
    assert settings.debug_share == Settings().debug_share


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("selct = []", "selct is not known; there are select, ignore, per-file-ignores, strict, external, debug-share"),
        ('select = "R"', "tool.tvm-ffi-build.audit.select is not a list of strings"),
        ('ignore = ["X1"]', "no rule is or starts with 'X1'; the families are A1, C4, G5, P3, R2"),
        ('ignore = [""]', "no rule is or starts with ''"),
        ('per-file-ignores = {"*" = ["R299"]}', "no rule is or starts with 'R299'"),
        ('per-file-ignores = {"*" = "R2"}', "per-file-ignores is not a table of lists of strings"),
        ("per-file-ignores = 1", "per-file-ignores is not a table of lists of strings"),
        ("strict = 1", "strict is not true or false"),
        ("debug-share = 2", "debug-share is not a number from 0 to 1"),
        ("debug-share = true", "debug-share is not a number from 0 to 1"),
    ],
)
def test_wrong_settings_end_with_a_line_and_2(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(ProjectError, match=re.escape(message)):
        project_settings(write_settings(tmp_path, text))


def audit(*arguments: str | Path, **options: Any) -> subprocess.CompletedProcess[str]:
    return run(sys.executable, "-m", "tvm_ffi_build", "audit", *arguments, ok=False, **options)


SOURCE = "int TVMFFIFunctionCall(void*); int __tvm_ffi_f(void* f) { return TVMFFIFunctionCall(f); }\n"


@pytest.fixture
def library(tmp_path: Path) -> Callable[..., bytes]:
    """Return a function that compiles a library."""

    def compiled(source: str = SOURCE, *flags: str) -> bytes:
        (tmp_path / "demo.c").write_text(source, encoding="utf-8")
        run("cc", "-shared", "-fPIC", "-o", tmp_path / "libdemo.so", tmp_path / "demo.c", *flags)
        return (tmp_path / "libdemo.so").read_bytes()

    return compiled


REQUIRED = ("Requires-Dist: apache-tvm-ffi>=0.1.15,<0.2",)


def test_exit_codes(make_wheel: Callable[..., Path], library: Callable[..., bytes], tmp_path: Path) -> None:
    wheel = make_wheel({"demo/__init__.py": b"", "demo/libdemo.so": library()}, metadata=REQUIRED)
    done = audit(wheel)
    assert done.returncode == 1
    assert "R203 error: demo/libdemo.so calls the runtime" in done.stdout
    done = audit(wheel, "--ignore", "R203,R209")
    assert (done.returncode, done.stderr) == (0, "")
    assert "P303 warning" in done.stdout
    assert audit(wheel, "--ignore", "R203", "--strict").returncode == 1
    write_settings(tmp_path, 'ignore = ["R2"]\nstrict = true')
    assert audit(wheel, cwd=tmp_path).returncode == 1
    done = audit(wheel, "--select", "A1", "--select", "P301", cwd=tmp_path)
    assert done.returncode == 0
    assert done.stdout.splitlines()[-1].partition(": ")[2].startswith("clean")
    assert audit(tmp_path / "libdemo.so").returncode == 1
    assert audit(tmp_path / "libdemo.so", "--ignore", "R203").returncode == 0


def test_what_is_to_be_audited_beside_what_is_not(
    make_wheel: Callable[..., Path], library: Callable[..., bytes], tmp_path: Path
) -> None:
    dist = tmp_path / "dist"
    make_wheel({"demo/__init__.py": b"", "demo/libdemo.so": library()}, metadata=REQUIRED, folder=dist)
    make_wheel(name="pure", tag="py3-none-any", folder=dist)
    make_wheel({"foreign/libforeign.so": library("int f(void) { return 1; }")}, name="foreign", folder=dist)
    make_wheel(name="apache_tvm_ffi", folder=dist)
    done = audit(dist, "--ignore", "R2")
    assert done.returncode == 0
    assert sorted(line.removeprefix("skipped: ") for line in done.stderr.splitlines()) == [
        "apache_tvm_ffi-1.0-py3-none-linux_x86_64.whl: the runtime itself",
        "foreign-1.0-py3-none-linux_x86_64.whl: does not use apache-tvm-ffi",
        "pure-1.0-py3-none-any.whl: pure Python",
    ]
    (dist / "bad-1.0-py3-none-any.whl").write_bytes(b"no zip")
    done = audit(dist, "--ignore", "R2", "--format", "json")
    assert done.returncode == 2
    assert "bad-1.0-py3-none-any.whl is not a zip archive" in done.stderr
    statuses = [one["status"] for one in json.loads(done.stdout)["artifacts"]]
    assert sorted(statuses) == ["audited", "failed", "skipped", "skipped", "skipped"]


def found_by(*arguments: str | Path) -> list[str]:
    (artifact,) = json.loads(audit(*arguments, "--format", "json").stdout)["artifacts"]
    return [finding["rule"] for finding in artifact["findings"]]


@pytest.mark.parametrize(
    ("run_path", "rules"),
    [("$ORIGIN/../tvm_ffi/lib", []), ("$ORIGIN", ["P352"]), ("/opt/tvm_ffi/lib", ["P351", "P352"])],
)
def test_a_bare_library_is_led_to_the_runtime_wherever_it_will_be(
    library: Callable[..., bytes], tmp_path: Path, run_path: str, rules: list[str]
) -> None:
    library(SOURCE, f"-L{find_runtime().library.parent}", "-ltvm_ffi", f"-Wl,-rpath,{run_path}")
    assert found_by(tmp_path / "libdemo.so", "--select", "P35") == rules


def test_where_the_tag_says_nothing_of_a_system_the_libraries_do(
    make_wheel: Callable[..., Path], library: Callable[..., bytes]
) -> None:
    files = {"demo/__init__.py": b"", "demo/libdemo.so": library()}
    assert found_by(make_wheel(files, tag="py3-none-any", metadata=REQUIRED), "--select", "P30") == ["P305"]


def test_the_runtime_alone_is_nothing_to_audit() -> None:
    done = audit(find_runtime().library)
    assert done.returncode == 2
    assert done.stderr.startswith(f"skipped: {find_runtime().library.name}: the runtime itself\n")


def test_a_record_that_cannot_be_read_is_a_finding_or_an_error(
    make_wheel: Callable[..., Path], library: Callable[..., bytes]
) -> None:
    files = {"demo/libdemo.so": library(), "demo-1.0.dist-info/tvm_ffi_build.json": b"{}"}
    wheel = make_wheel(files, metadata=REQUIRED)
    assert found_by(wheel) == ["R211"]
    done = audit(wheel, "--ignore", "R211")
    assert (done.returncode, done.stdout) == (2, "")
    assert "tvm_ffi_build.json was changed or is not a build record" in done.stderr


def test_nothing_to_audit_is_a_failure(make_wheel: Callable[..., Path], tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    for path in (tmp_path / "empty", make_wheel(name="pure", tag="py3-none-any"), make_wheel(name="none")):
        done = audit(path)
        assert done.returncode == 2
        assert last_error(done.stderr).endswith("; name a wheel that uses the runtime, or a library")


@pytest.mark.parametrize(
    ("name", "change", "message"),
    [
        ("libdemo.so", lambda content: content[: len(content) // 2], "cut short or damaged"),
        ("libdemo.so", lambda _: b"", "libdemo.so"),
        ("libdemo.so", lambda _: b"#!/bin/sh\n", "is not an ELF, Mach-O or PE library"),
        ("libdemo.so", lambda content: content[:0x28] + b"\xff" * 16 + content[0x38:], "damaged"),
        ("libdemo.so", lambda _: b"\xca\xfe\xba\xbe" + b"\0\0\0\x02" * 40, "damaged"),
        ("demo-1.0-py3-none-linux_x86_64.whl", lambda content: content[: len(content) // 2], "not a zip archive"),
        ("demo.whl", lambda content: content, "is not the name of a wheel"),
    ],
)
def test_bad_input_is_one_line_and_2(
    library: Callable[..., bytes],
    make_wheel: Callable[..., Path],
    tmp_path: Path,
    name: str,
    change: Callable[[bytes], bytes],
    message: str,
) -> None:
    content = library()
    if name.endswith(".whl"):
        content = make_wheel({"demo/libdemo.so": content}).read_bytes()
    (tmp_path / name).write_bytes(change(content))
    done = audit(tmp_path / name)
    assert done.returncode == 2, done.stderr
    assert message in read_error(done.stderr)


def test_a_damaged_library_in_a_wheel_is_one_line_and_2(
    library: Callable[..., bytes], make_wheel: Callable[..., Path]
) -> None:
    done = audit(make_wheel({"demo/libdemo.so": library()[:2000]}, metadata=REQUIRED))
    assert done.returncode == 2
    assert "demo-1.0-py3-none-linux_x86_64.whl: demo/libdemo.so" in read_error(done.stderr)


def test_an_unknown_rule_or_path_is_one_line_and_2(tmp_path: Path) -> None:
    for arguments, message in (
        (["--select", "Z9", "x"], "--select, --ignore: no rule is or starts with 'Z9'"),
        (["missing.whl"], "missing.whl does not exist"),
    ):
        done = audit(*arguments, cwd=tmp_path)
        assert done.returncode == 2
        assert message in read_error(done.stderr)
    write_settings(tmp_path, 'ignore = ["Z9"]')
    done = audit("x", cwd=tmp_path)
    assert done.returncode == 2
    assert "pyproject.toml: no rule is or starts with 'Z9'" in done.stderr


def test_real_libraries_made_bad(make_wheel: Callable[..., Path], library: Callable[..., bytes]) -> None:
    """What rules are shown in other tests, here read off libraries that a compiler made."""
    python = "int PyErr_CheckSignals(void); int __tvm_ffi_g(void) { return PyErr_CheckSignals(); }\n"
    bad = {
        "A101": library(SOURCE + python),
        "A102": library(SOURCE + "void* PyInit_demo(void) { return 0; }\n"),
        "A104": library(
            SOURCE + 'void* dlsym(void*, const char*); void* h(void) { return dlsym(0, "PyGILState_Ensure"); }\n'
        ),
        "R202": library(SOURCE + "int TVMFFIObjectDecRef(void* o) { return 0; }\n"),
        "R205": library(SOURCE + "int TVMFFIFuture(void); int k(void) { return TVMFFIFuture(); }\n"),
        "P351": library(SOURCE, "-Wl,-rpath,/home/me/lib"),
        "C406": library(SOURCE + 'const char* where(void) { return "/home/me/demo/demo.cc"; }\n'),
    }
    good = {"R203", "R209", "P303"}
    for rule, content in bad.items():
        wheel = make_wheel({"demo/__init__.py": b"import tvm_ffi", "demo/libdemo.so": content}, metadata=REQUIRED)
        (artifact,) = json.loads(audit(wheel, "--format", "json").stdout)["artifacts"]
        assert {finding["rule"] for finding in artifact["findings"]} - good == {rule}


def test_a_stripped_library_is_read_as_any_other(library: Callable[..., bytes], tmp_path: Path) -> None:
    library(SOURCE, "-s")
    done = audit(tmp_path / "libdemo.so", "--select", "R203")
    assert done.returncode == 1
    assert "TVMFFIFunctionCall" in done.stdout
