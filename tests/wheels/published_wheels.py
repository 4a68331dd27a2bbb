"""What the audit finds in well-known wheels, and whether it is right: makes the table in ``docs/reference/audit.md``.

Run it as ``python tests/wheels/published_wheels.py [DIRECTORY]``. It downloads the newest wheels of each project for
each platform, one after another, or takes those that are in the directory. Most are not wheels of TVM-FFI extensions,
which ``audit`` skips; here every rule that is not about the runtime reads them too. ``judged_findings.json`` has what
was judged by hand of the findings. One without a judgement, and one that is false, fail the run.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

__all__ = ["Found", "Judgement", "judge", "read_judgements", "rows"]

HERE = Path(__file__).parent
MANUAL = HERE.parents[1] / "docs/reference/audit.md"
JUDGEMENTS = HERE / "judged_findings.json"
BEGIN, END = "<!-- published-wheels: begin -->\n", "<!-- published-wheels: end -->"
PLATFORMS = {
    "linux": ("manylinux_2_28_x86_64", "manylinux_2_27_x86_64", "manylinux_2_17_x86_64", "manylinux2014_x86_64"),
    "arm": ("manylinux_2_28_aarch64", "manylinux_2_27_aarch64", "manylinux_2_17_aarch64", "manylinux2014_aarch64"),
    "mac": ("macosx_14_0_arm64",),
    "win": ("win_amd64",),
}
SHOWN = {"linux": "Linux x86_64", "arm": "Linux aarch64", "mac": "macOS", "win": "Windows"}
PROJECTS = (
    "apache-tvm",
    "apache-tvm-ffi-orcjit",
    "cryptography",
    "faiss-cpu",
    "grpcio",
    "h5py",
    "jax-tvm-ffi",
    "lxml",
    "matplotlib",
    "msgpack",
    "numpy",
    "onnxruntime",
    "opencv-python-headless",
    "orjson",
    "pandas",
    "pillow",
    "polars-runtime-32",
    "psutil",
    "psycopg2-binary",
    "pyarrow",
    "pydantic-core",
    "pyyaml",
    "pyzmq",
    "scikit-learn",
    "scipy",
    "sentencepiece",
    "shapely",
    "tilelang",
    "tokenizers",
    "torch",
    "triton",
    "xgrammar",
    "zstandard",
)
# In a child process, whose memory goes with it. Rules on the runtime say nothing about other wheels.
AUDIT = """
import json, resource, sys
from pathlib import Path
from tvm_ffi_build.audit.rules import RULES
from tvm_ffi_build.audit.subject import Subject
from tvm_ffi_build.contract.assess import Assessment
from tvm_ffi_build.contract.evidence.needs import Needs
from tvm_ffi_build.host.unfinished import temporary_folder
from tvm_ffi_build.wheels import open_wheel
from tvm_ffi_build.wheels.libraries import read_libraries

with open_wheel(Path(sys.argv[1])) as wheel, temporary_folder() as folder:
    contents = read_libraries(wheel, folder)
    subject = Subject.of(contents)
    is_extension = not contents.reason_to_skip()
    if not is_extension:
        nothing = frozenset()
        needs = tuple(Needs(name, nothing, nothing, nothing, None, ()) for name in contents.binaries)
        subject.__dict__.update(users=subject.others, assessment=Assessment(needs, nothing, {}, None))
    about_runtime = ("R", "P302", "P352")
    rules = [rule for rule in RULES.values() if is_extension or not rule.id.startswith(about_runtime)]
    found = {(rule.id, problem.message) for rule in rules for problem in rule.check(subject)}
memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10
print(json.dumps({"found": sorted(found), "memory": memory}))
"""


class Found(NamedTuple):
    """What a rule has found in a wheel."""

    rule: str
    project: str
    platform: str
    message: str


class Judgement(NamedTuple):
    """What was judged by hand of the findings of a rule.

    Attributes:
        rule: The rule.
        projects: In wheels of which projects; ``*`` stands for all others.
        platforms: On which platforms; empty for all.
        is_true: Whether the findings are right.
        reason: Why.

    """

    rule: str
    projects: tuple[str, ...]
    platforms: tuple[str, ...]
    is_true: bool
    reason: str

    def is_about(self, found: Found) -> bool:
        """Say whether this judges a finding."""
        return (
            found.rule == self.rule
            and (found.project in self.projects or self.projects == ("*",))
            and (not self.platforms or found.platform in self.platforms)
        )


def main() -> None:
    """Put the table into the manual."""
    found: list[Found] = []
    memory: list[int] = []
    for project, platform, wheel in _wheels(Path(sys.argv[1]) if len(sys.argv) > 1 else None):
        done = subprocess.run(
            [sys.executable, "-c", AUDIT, wheel], check=True, stdout=subprocess.PIPE, encoding="utf-8"
        )
        said = json.loads(done.stdout)
        found += [Found(rule, project, platform, message) for rule, message in said["found"]]
        memory.append(said["memory"])
        sys.stdout.write(f"{wheel.name}: {len(said['found'])} findings, {said['memory']} MiB\n")
        sys.stdout.flush()
    judged, missing = judge(found, read_judgements())
    projects = len({one.project for one in found})
    table = (
        f"{len(memory)} wheels of {len(PROJECTS)} projects were read with at most {max(memory)} MiB of memory. "
        f"There are {len(found)} findings, in wheels of {projects} projects:\n\n{rows(judged)}"
    )
    text = MANUAL.read_text(encoding="utf-8")
    before, _, rest = text.partition(BEGIN)
    MANUAL.write_text(f"{before}{BEGIN}{table}{END}{rest.partition(END)[2]}", encoding="utf-8")
    for one in missing:
        sys.stderr.write(f"not judged: {one.rule} {one.project}, {one.platform}: {one.message}\n")
    if missing or any(not judgement.is_true for judgement in judged):
        sys.exit(1)


def read_judgements() -> list[Judgement]:
    """Read what was judged by hand."""
    return [
        Judgement(one["rule"], tuple(one["projects"]), tuple(one.get("platforms", ())), one["true"], one["reason"])
        for one in json.loads(JUDGEMENTS.read_text(encoding="utf-8"))
    ]


def rows(judged: Mapping[Judgement, Iterable[Found]]) -> str:
    """Return the table."""
    lines = ["| rule | in | findings | judged |", "|---|---|--:|---|"]
    for judgement, found in sorted(judged.items()):
        places: dict[str, set[str]] = defaultdict(set)
        for one in found:
            places[one.project].add(one.platform)
        shown = "; ".join(f"{project} ({_spell(on)})" for project, on in sorted(places.items()))
        verdict = "right" if judgement.is_true else "false"
        lines.append(f"| {judgement.rule} | {shown} | {len(list(found))} | {verdict}: {judgement.reason} |")
    return "".join(f"{line}\n" for line in lines)


def _spell(platforms: set[str]) -> str:
    return "all" if platforms == set(PLATFORMS) else ", ".join(SHOWN[one] for one in PLATFORMS if one in platforms)


def judge(found: Iterable[Found], judgements: list[Judgement]) -> tuple[dict[Judgement, list[Found]], list[Found]]:
    """Return what is judged by each judgement, and what by none."""
    judged: dict[Judgement, list[Found]] = defaultdict(list)
    missing = []
    for one in found:
        judgement = next((judgement for judgement in judgements if judgement.is_about(one)), None)
        if judgement is None:
            missing.append(one)
        else:
            judged[judgement].append(one)
    return judged, missing


def _wheels(directory: Path | None) -> Iterator[tuple[str, str, Path]]:
    """Yield project, platform and wheel; one that was downloaded is gone when the next one is asked for."""
    for project in PROJECTS:
        for platform in PLATFORMS:
            if directory is not None:
                pattern = f"{platform}/{project.replace('-', '_')}-[0-9]*.whl"
                yield from ((project, platform, wheel) for wheel in sorted(directory.glob(pattern)))
                continue
            with tempfile.TemporaryDirectory() as name:
                yield from ((project, platform, wheel) for wheel in _download(project, platform, Path(name)))


def _download(project: str, platform: str, folder: Path) -> list[Path]:
    """Download the newest wheel; return nothing if there is none for the platform."""
    options = [word for tag in PLATFORMS[platform] for word in ("--platform", tag)]
    only_wheels = ["--no-deps", "--only-binary=:all:", "--python-version", "3.12", *options]
    command = [sys.executable, "-m", "pip", "download", "-q", *only_wheels, "-d", str(folder), project]
    subprocess.run(command, check=False, stderr=subprocess.DEVNULL)
    return list(folder.glob("*.whl"))


if __name__ == "__main__":
    main()
