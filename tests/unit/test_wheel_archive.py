"""Wheels: what strangers may send is refused in one line, and what is written anew is a wheel, the same but for the change."""

from __future__ import annotations

import base64
import csv
import hashlib
import io
import os
import platform
import re
import stat
import struct
import sys
import zipfile
import zlib
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from conftest import record_row, run
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from test_binaries import elf_with_one_name_for_all, mach_o, pe_with_shared_thunks

from tvm_ffi_build.__main__ import main
from tvm_ffi_build.contents import Contents
from tvm_ffi_build.errors import ContradictionError, WheelError
from tvm_ffi_build.platforms import LINUX
from tvm_ffi_build.wheels import open_wheel, rewrite, write_stored, writer
from tvm_ffi_build.wheels import wheel as wheel_module
from tvm_ffi_build.wheels.archive import open_archive

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from conftest import Environment

NAME = "demo-1.0-py3-none-linux_x86_64.whl"
INFO = "demo-1.0.dist-info/"
METADATA = "Metadata-Version: 2.1\nName: demo\nVersion: 1.0\nRequires-Dist: apache-tvm-ffi\n"
WHEEL = "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: false\nTag: py3-none-linux_x86_64\n"
LIBRARY = elf_with_one_name_for_all(1)


@dataclass(frozen=True)
class Member:
    """A member of an archive, about which the archive may lie: what is not given is what is right.

    ``local`` and ``directory`` replace fields of the two headers by name.
    """

    name: str | bytes
    content: bytes = b""
    method: int = zipfile.ZIP_DEFLATED
    raw: bytes | None = None
    attributes: int = 0o100644 << 16
    local: dict[str, Any] = field(default_factory=dict)
    directory: dict[str, Any] = field(default_factory=dict)

    def lying(self, **fields: Any) -> Member:
        """Return the same with other values in both headers."""
        return replace(self, local={**self.local, **fields}, directory={**self.directory, **fields})

    def headers(self, offset: int) -> tuple[bytes, bytes, bytes]:
        """Return the local header, the bytes and the entry of the directory."""
        raw = self.raw
        if raw is None:
            raw = deflated(self.content) if self.method == zipfile.ZIP_DEFLATED else self.content
        name = self.name if isinstance(self.name, bytes) else self.name.encode()
        fields: dict[str, Any] = {
            "version": 20, "flags": 0 if name.isascii() else 0x800, "method": self.method, "time": 0, "date": 0x21,
            "crc": zlib.crc32(self.content), "compressed": len(raw), "size": len(self.content), "name": name,
            "extra": b"", "attributes": self.attributes, "offset": offset,
        }  # fmt: skip
        here, there = {**fields, **self.local}, {**fields, **self.directory}
        entry = struct.pack("<4sH", b"PK\1\2", 3 << 8 | 20) + common(there)
        entry += struct.pack("<HHHII", 0, 0, 0, there["attributes"], there["offset"]) + there["name"] + there["extra"]
        return b"PK\3\4" + common(here) + here["name"] + here["extra"], raw, entry


def common(fields: dict[str, Any]) -> bytes:
    numbers = [fields[key] for key in ("version", "flags", "method", "time", "date", "crc", "compressed", "size")]
    return struct.pack("<5H3I2H", *numbers, len(fields["name"]), len(fields["extra"]))


def deflated(content: bytes) -> bytes:
    deflate = zlib.compressobj(9, zlib.DEFLATED, -15)
    return deflate.compress(content) + deflate.flush()


def archive(members: Iterable[Member], **end: int) -> bytes:
    """Return an archive; ``end`` replaces fields of the record at its end by name."""
    body, directory = b"", b""
    count = 0
    for member in members:
        local, raw, entry = member.headers(len(body))
        body += local + raw
        directory += entry
        count += 1
    fields = {"count": count, "size": len(directory), "start": len(body), **end}
    tail = struct.pack("<4HIIH", 0, 0, fields["count"], fields["count"], fields["size"], fields["start"], 0)
    return body + directory + b"PK\5\6" + tail


def row(name: str, content: bytes) -> str:
    digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerow([name, f"sha256={digest}", len(content)])
    return text.getvalue()


def members_of(files: dict[str, bytes], record: str | None = None) -> list[Member]:
    """Return the members of an honest wheel with some files; RECORD is the last."""
    if record is None:
        record = "".join(row(name, content) for name, content in files.items()) + f"{INFO}RECORD,,\n"
    return [Member(name, content) for name, content in {**files, f"{INFO}RECORD": record.encode()}.items()]


def files_of(**others: str | bytes) -> dict[str, bytes]:
    """Return the files of an honest wheel; ``METADATA`` and ``WHEEL`` may be others."""
    texts = {"METADATA": METADATA, "WHEEL": WHEEL, **others}
    content = {key: text if isinstance(text, bytes) else text.encode() for key, text in texts.items()}
    return {
        "demo/__init__.py": b"",
        "demo/lib/demo.so": LIBRARY,
        f"{INFO}METADATA": content["METADATA"],
        f"{INFO}WHEEL": content["WHEEL"],
    }


def honest() -> list[Member]:
    return members_of(files_of())


def with_file(name: str | bytes, **fields: Any) -> bytes:
    """Return a wheel with one more member, which its RECORD knows."""
    text = name if isinstance(name, str) else name.decode("utf-8", "replace")
    content = fields.pop("content", b"x")
    members = members_of({**files_of(), text: content})
    return archive(replace(member, **{"name": name, **fields}) if member.name == text else member for member in members)


def changed(name: str, change: Callable[[Member], Member]) -> bytes:
    """Return a wheel one of whose members lies."""
    return archive(change(member) if member.name == name else member for member in honest())


def with_record(change: Callable[[str], str | bytes]) -> bytes:
    """Return a wheel with another RECORD."""
    *files, record = honest()
    text = change(record.content.decode())
    return archive([*files, replace(record, content=text if isinstance(text, bytes) else text.encode())])


def with_library(content: bytes) -> bytes:
    return archive(members_of({**files_of(), "demo/lib/demo.so": content}))


LIB = "demo/lib/demo.so"
INIT = "demo/__init__.py"


def overlapping() -> bytes:
    """Return a wheel with a member that lies within the bytes of another, as in a bomb that shares them."""
    inner = Member("demo/inner.py", b"inner", method=zipfile.ZIP_STORED)
    outer = Member("demo/outer.py", b"".join(inner.headers(0)[:2]), method=zipfile.ZIP_STORED)
    members = members_of({**files_of(), str(inner.name): inner.content, str(outer.name): outer.content})
    stored = {member.name: member for member in (inner, outer)}
    members = [stored.get(member.name, member) for member in members]
    place = archive(members).index(b"demo/outer.py") + len("demo/outer.py")
    return archive(replace(member, directory={"offset": place}) if member is inner else member for member in members)


def with_descriptor_lies() -> bytes:
    """More bytes than the directory says, which is all that Python's reader looks at."""
    longer = deflated(LIBRARY + b"more")
    return changed(LIB, lambda member: replace(member, raw=longer))


def bytes_behind() -> bytes:
    return changed(LIB, lambda member: replace(member, raw=deflated(LIBRARY) + b"hidden"))


def zip64(**fields: int) -> bytes:
    return struct.pack(f"<HH{len(fields)}Q", 1, 8 * len(fields), *fields.values())


MOST = 0xFFFFFFFF
# What a stranger sends, and how it is named in what is said.
HOSTILE: dict[str, tuple[Callable[[], bytes], str]] = {
    # Names.
    "a path upwards": (lambda: with_file("../evil.py"), "lead out"),
    "a path upwards, deep inside": (lambda: with_file("demo/../../evil.py"), "lead out"),
    "an absolute path": (lambda: with_file("/etc/evil"), "lead out"),
    "a path with a drive": (lambda: with_file("C:/evil.py"), "lead out"),
    "a path with backslashes": (lambda: with_file("..\\evil.py"), "lead out"),
    "a share": (lambda: with_file("//host/share/evil.py"), "lead out"),
    "an empty part": (lambda: with_file("demo//evil.py"), "lead out"),
    "a dot": (lambda: with_file("demo/./evil.py"), "lead out"),
    "no name": (lambda: with_file(""), "lead out"),
    "a NUL in a name": (lambda: with_file(b"demo/evil.py\0.txt"), "lead out"),
    "a control character in a name": (lambda: with_file("demo/\x1b[2Jevil.py"), "lead out"),
    "a line break in a name": (lambda: with_file("demo/a\nb.py"), "lead out"),
    "a name that is no UTF-8": (lambda: with_file(b"demo/\xff.py", local={"flags": 0x800}, directory={"flags": 0x800}), "no zip"),
    "a name longer than folders take": (lambda: with_file(f"demo/{'x' * 300}.so"), "too long"),
    "a path longer than systems take": (lambda: with_file("d/" * 3000 + "lib.so"), "too long"),
    "a name that grows in UTF-8": (lambda: with_file(b"\x80" * 40_000, local={"flags": 0}, directory={"flags": 0}), "too long"),
    "a file that is a folder too": (lambda: with_file(f"{LIB}/inner.so"), "file and folder"),
    "a folder with contents": (lambda: with_file("demo/folder/", attributes=0o40755 << 16), "folder with contents"),
    "a folder with hidden bytes": (lambda: with_file("demo/folder/", content=b"", raw=b"hidden bytes"), "damaged|contents"),
    # Kinds.
    "a symbolic link": (lambda: with_file("demo/link", attributes=(stat.S_IFLNK | 0o777) << 16), "link or device"),
    "a device": (lambda: with_file("demo/null", attributes=(stat.S_IFCHR | 0o666) << 16), "link or device"),
    "a pipe": (lambda: with_file("demo/pipe", attributes=(stat.S_IFIFO | 0o666) << 16), "link or device"),
    "a folder named as a file": (lambda: with_file("demo/folder", attributes=0o40755 << 16), "link or device"),
    # Members.
    "a member twice": (lambda: archive([*honest(), Member(INIT, b"import evil")]), "twice"),
    "members upon each other": (overlapping, "upon each other"),
    "a wrong CRC": (lambda: changed(LIB, lambda member: member.lying(crc=1)), "damaged"),
    "encrypted": (lambda: changed(LIB, lambda member: member.lying(flags=1)), "encrypted"),
    "strongly encrypted": (lambda: changed(LIB, lambda member: member.lying(flags=0x40)), "encrypted"),
    "a masked directory": (lambda: changed(LIB, lambda member: member.lying(flags=0x2000)), "encrypted"),
    "a patch": (lambda: changed(LIB, lambda member: member.lying(flags=0x20)), "encrypted"),
    "compressed by bzip2": (lambda: changed(LIB, lambda member: member.lying(method=12)), "method 12"),
    "compressed by nobody knows what": (lambda: changed(LIB, lambda member: member.lying(method=99)), "method 99"),
    "deflated, and it is not": (lambda: changed(LIB, lambda member: replace(member, raw=b"\xff" * 9)), "damaged"),
    "cut short within": (lambda: changed(LIB, lambda member: replace(member, raw=deflated(LIBRARY)[:-9])), "damaged"),
    "a library that inflates to more": (with_descriptor_lies, "damaged"),
    "bytes behind what inflates": (bytes_behind, "damaged"),
    "stored, and of two sizes": (lambda: with_file("demo/a", method=0, raw=b"xyz"), "damaged"),
    # Headers that contradict each other: each reader would see another wheel.
    "another name before the bytes": (lambda: changed(LIB, lambda member: replace(member, local={"name": b"demo/lib/evil.so"})), "damaged"),
    "another size before the bytes": (lambda: changed(LIB, lambda member: replace(member, local={"size": 1})), "damaged"),
    "another compressed size before the bytes": (lambda: changed(LIB, lambda member: replace(member, local={"compressed": 1})), "damaged"),
    "another method before the bytes": (lambda: changed(LIB, lambda member: replace(member, local={"method": 0})), "damaged"),
    "another CRC before the bytes": (lambda: changed(LIB, lambda member: replace(member, local={"crc": 1})), "damaged"),
    "a member outside of the file": (lambda: changed(LIB, lambda member: replace(member, directory={"offset": 1 << 30})), "damaged"),
    "a member in the directory": (lambda: changed(LIB, lambda member: replace(member, directory={"compressed": 1 << 20})), "damaged"),
    "a name that fills the file": (lambda: changed(LIB, lambda member: replace(member, local={"name": b"x" * 60_000})), "damaged"),
    # ZIP64.
    "more than 2^63 bytes": (lambda: changed(LIB, lambda member: replace(member, directory={"size": MOST, "extra": zip64(size=(1 << 64) - 1)})), "of nearly nothing"),
    "2^63 bytes, and as many compressed": (lambda: changed(LIB, lambda member: replace(member, directory={"size": MOST, "compressed": MOST, "extra": zip64(size=1 << 63, compressed=1 << 63)})), "GiB"),
    "a place behind 2^63": (lambda: changed(LIB, lambda member: replace(member, directory={"offset": MOST, "extra": zip64(offset=(1 << 64) - 1)})), "damaged"),
    "ZIP64 without the numbers": (lambda: changed(LIB, lambda member: replace(member, directory={"size": MOST, "extra": zip64()})), "no zip"),
    "ZIP64 that is cut short": (lambda: changed(LIB, lambda member: replace(member, directory={"size": MOST, "extra": b"\1\0\x08\0\0"})), "no zip"),
    "an extra field longer than itself": (lambda: changed(LIB, lambda member: replace(member, directory={"extra": b"\1\0\xff\xff"})), "no zip"),
    # The archive.
    "an empty file": (lambda: b"", "no zip"),
    "not a zip": (lambda: b"\x1f\x8b" + bytes(2000), "no zip"),
    "an empty archive": (lambda: archive([]), r"no \.dist-info"),
    "a directory in front of the file": (lambda: archive(honest(), start=1 << 20), "no zip|damaged"),
    "a directory some bytes further": (lambda: archive(honest(), start=len(archive(honest())) - 22 - 50), "no zip|damaged"),
    "members before the file": (lambda: archive(honest(), start=sum(len(part) for member in honest() for part in member.headers(0)[:2]) + 9), "no zip|damaged"),
    "a directory larger than the file": (lambda: archive(honest(), size=1 << 20), "no zip"),
    "more entries than there are": (lambda: archive(honest(), size=sum(len(member.headers(0)[2]) for member in honest()) - 60), "no zip|damaged"),
    # RECORD.
    "a file that RECORD does not know": (lambda: archive([*honest(), Member("demo/evil.py", b"evil")]), "says nothing"),
    "a RECORD of files that are not there": (lambda: with_record(lambda text: row("demo/gone.py", b"") + text), "has no 'demo/gone.py'"),
    "a RECORD of files elsewhere": (lambda: with_record(lambda text: row("../../etc/passwd", b"") + text), "has no"),
    "a wrong hash": (lambda: with_record(lambda text: text.replace(row(LIB, LIBRARY), row(LIB, b"other" + LIBRARY[5:]))), "not what RECORD says"),
    "a wrong size": (lambda: with_record(lambda text: text.replace(f",{len(LIBRARY)}\n", ",12\n")), "not what RECORD says"),
    "a size that is no number": (lambda: with_record(lambda text: text.replace(f",{len(LIBRARY)}\n", ",-1e9\n")), "not what RECORD says"),
    "MD5 only": (lambda: with_record(lambda text: text.replace("sha256=", "md5=")), "no SHA-256"),
    "no hash": (lambda: with_record(lambda text: "".join(f"{line.split(',')[0]},,\n" for line in text.splitlines())), "no SHA-256"),
    "a hash nobody knows": (lambda: with_record(lambda text: text.replace("sha256=", "shake_128=")), "no SHA-256"),
    "a row twice": (lambda: with_record(lambda text: row(LIB, LIBRARY) + text), "in its RECORD"),
    "rows of two columns": (lambda: with_record(lambda text: text.replace(",,", ",")), "in its RECORD"),
    "a RECORD that is no table": (lambda: with_record(lambda text: f'"{text}'), "no table"),
    "a RECORD that is no UTF-8": (lambda: with_record(lambda text: text.encode()[:-1] + b"\xff\n"), "no UTF-8"),
    "an empty RECORD": (lambda: with_record(lambda _: ""), "says nothing"),
    "no RECORD": (lambda: archive(honest()[:-1]), "no demo-1.0.dist-info/RECORD"),
    "a RECORD of 20 MiB": (lambda: with_record(lambda text: text + os.urandom(10 << 20).hex()), "MiB"),
    # Metadata.
    "two dist-infos": (lambda: archive(members_of({**files_of(), "other-1.0.dist-info/METADATA": b"x"})), "dist-info"),
    "another project's dist-info": (lambda: archive([replace(member, name=str(member.name).replace("demo-", "other-")) for member in honest()]), r"holds 'other-1\.0"),
    "no METADATA": (lambda: archive(members_of({name: text for name, text in files_of().items() if "METADATA" not in name})), "has no .*METADATA"),
    "no WHEEL": (lambda: archive(members_of({name: text for name, text in files_of().items() if "WHEEL" not in name})), "has no .*WHEEL"),
    "another name inside": (lambda: archive(members_of(files_of(METADATA=METADATA.replace("demo", "other")))), "it is 'other 1.0'"),
    "another version inside": (lambda: archive(members_of(files_of(METADATA=METADATA.replace("1.0", "1.1")))), "it is 'demo 1.1'"),
    "a version that is none": (lambda: archive(members_of(files_of(METADATA=METADATA.replace("1.0", "latest")))), "it is 'demo latest'"),
    "a version of many digits": (lambda: archive(members_of(files_of(METADATA=METADATA.replace("1.0", "1" * 9999)))), "it is 'demo 1111"),
    "a name of two lines": (lambda: archive(members_of(files_of(METADATA=METADATA.replace("demo", "demo\n x")))), "it is"),
    "empty METADATA": (lambda: archive(members_of(files_of(METADATA=b""))), "it is 'nothing'"),
    "METADATA that is no UTF-8": (lambda: archive(members_of(files_of(METADATA=METADATA.encode() + b"\xff"))), "no UTF-8"),
    "METADATA of 20 MiB": (lambda: archive(members_of(files_of(METADATA=METADATA.encode() + os.urandom(10 << 20).hex().encode()))), "MiB"),
    "METADATA with a million fields": (lambda: archive(members_of(files_of(METADATA=METADATA + "".join(f"{i}:\n" for i in range(1_000_000))))), "METADATA"),
    "a WHEEL that is no UTF-8": (lambda: archive(members_of(files_of(WHEEL=WHEEL.encode() + b"\xff"))), "no UTF-8"),
    "other tags inside": (lambda: archive(members_of(files_of(WHEEL=WHEEL.replace("py3", "cp311")))), "its tags are 'cp311"),
    "more tags inside": (lambda: archive(members_of(files_of(WHEEL=WHEEL + "Tag: py2-none-linux_x86_64\n"))), "its tags are"),
    "of a format to come": (
        lambda: archive(members_of(files_of(WHEEL=WHEEL.replace("1.0", "2.0")))),
        "is a wheel of version '2', of which only 1 is known",
    ),
    "no tags inside": (lambda: archive(members_of(files_of(WHEEL="Wheel-Version: 1.0\n"))), "its tags are 'none'"),
    "tags without end": (lambda: archive(members_of(files_of(WHEEL=WHEEL + f"Tag: {'.'.join(['py3'] * 9999)}-{'.'.join(['none'] * 9999)}-{'.'.join(['linux_x86_64'] * 9999)}\n"))), "its tags are"),
    "a tag without parts": (lambda: archive(members_of(files_of(WHEEL="Tag: any\n"))), "its tags are"),
}  # fmt: skip


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def refused(capsys: pytest.CaptureFixture[str], wheel: Path, out: Path, exit_code: int = 13, message: str = "") -> None:
    """Check that a repair answers with one line and an exit code, and has written and changed nothing."""
    before = digest(wheel) if wheel.is_file() else None
    with pytest.raises(SystemExit) as caught:
        main(["repair", str(wheel), "-w", str(out)])
    said = capsys.readouterr()
    assert caught.value.code == exit_code, said.err
    assert said.out == ""
    assert said.err.startswith("tvm-ffi-build: error: ")
    assert said.err.endswith("\n")
    assert len(said.err.splitlines()) == 1
    assert len(said.err) < 600
    assert said.err[:-1].isprintable()
    assert re.search(message, said.err), said.err
    assert not out.exists() or not any(out.iterdir())
    assert before is None or digest(wheel) == before


def test_the_wheel_that_the_hostile_ones_are_made_of_is_one(tmp_path: Path) -> None:
    """So it is the one thing that was changed which is refused."""
    wheel = tmp_path / NAME
    wheel.write_bytes(archive(honest()))
    with open_wheel(wheel) as opened:
        opened.verify()


@pytest.mark.parametrize("case", HOSTILE)
def test_a_hostile_wheel_is_one_line_and_nothing_is_written(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], case: str
) -> None:
    make, message = HOSTILE[case]
    wheel = tmp_path / NAME
    wheel.write_bytes(make())
    refused(capsys, wheel, tmp_path / "out", message=message)


@pytest.mark.parametrize(
    "name",
    [
        "demo.whl", "demo-1.0.whl", "demo-1.0-py3-none.whl", "demo-latest-py3-none-any.whl", "demo-1.0-x-py3-none-any.whl",
        "demo--py3-none-any.whl", "demo-1.0-py3-none-any.zip", ".whl", "-----.whl", "demo-1.0-1-1-py3-none-any.whl",
        "two\nlines-1.0-py3-none-any.whl", "demo\n-1.0-py3-none-any.whl", "demo\x1b[2J-1.0-py3-none-any.whl",
    ],
)  # fmt: skip
def test_a_name_that_is_no_wheels_name(tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str) -> None:
    wheel = tmp_path / name
    wheel.write_bytes(archive(honest()))
    refused(capsys, wheel, tmp_path / "out", message="is no wheel's name|says inside|holds 'demo")


def test_a_name_that_is_no_text(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    wheel = Path(os.fsdecode(os.fsencode(tmp_path) + b"/demo\xff-1.0-py3-none-any.whl"))
    wheel.write_bytes(archive(honest()))
    refused(capsys, wheel, tmp_path / "out")


def test_a_folder_named_as_a_wheel_holds_none(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / NAME).mkdir()
    refused(capsys, tmp_path / NAME, tmp_path / "out", 16, "no wheel of an extension")


def test_a_folder_named_as_a_wheel_beside_wheels(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "dist" / NAME).mkdir(parents=True)
    refused(capsys, tmp_path / "dist", tmp_path / "out", 13, "is no file")


def test_a_pipe_named_as_a_wheel_is_not_waited_for(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    os.mkfifo(tmp_path / NAME)
    refused(capsys, tmp_path / NAME, tmp_path / "out", 13, "is no file")


BROKEN = {
    "empty": b"",
    "text": b"not a library",
    "ELF, four bytes": b"\x7fELF",
    "ELF, cut short": LIBRARY[:-1],
    "ELF without end": elf_with_one_name_for_all(5000),
    "ELF of no class": LIBRARY[:4] + b"\7" + LIBRARY[5:],
    "Mach-O, four bytes": b"\xcf\xfa\xed\xfe",
    "Mach-O without end": mach_o([struct.pack("<6I", 2, 24, 0x2000, 9000, 0, 8)] * 2000, bytes(200_000)),
    "Mach-O, a command of no size": mach_o([struct.pack("<II", 0xC, 0)], bytes(64)),
    "universal, of nothing": b"\xca\xfe\xba\xbe\0\0\0\0",
    "PE, two bytes": b"MZ",
    "PE, cut short": pe_with_shared_thunks(1)[:-3],
    "PE without end": pe_with_shared_thunks(2000),
}


@pytest.mark.parametrize("case", BROKEN)
def test_a_broken_library_is_named_as_it_is_in_the_wheel(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], case: str
) -> None:
    """And not by where it was unpacked to, which is gone by then."""
    wheel = tmp_path / NAME
    wheel.write_bytes(with_library(BROKEN[case]))
    refused(capsys, wheel, tmp_path / "out", 11, f"{NAME}: {LIB} is (no|empty)")


def for_macos(tmp_path: Path, **libraries: bytes) -> Path:
    """Write a wheel for macOS, about which no tool has to be asked."""
    tag = "macosx_11_0_x86_64"
    files = files_of(WHEEL=WHEEL.replace("linux_x86_64", tag))
    del files[LIB]
    wheel = tmp_path / NAME.replace("linux_x86_64", tag)
    wheel.write_bytes(
        archive(members_of({**files, **{f"demo/{name}.dylib": text for name, text in libraries.items()}}))
    )
    return wheel


def test_libraries_of_two_systems(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    wheel = for_macos(tmp_path, one=mach_o([], b""), other=pe_with_shared_thunks(1))
    refused(capsys, wheel, tmp_path / "out", 14, "holds libraries for")


def test_a_copy_of_the_runtime_is_found_whatever_the_case_of_its_name(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    name = NAME.replace("linux_x86_64", "win_amd64")
    files = files_of(WHEEL=WHEEL.replace("linux_x86_64", "win_amd64"))
    del files[LIB]
    wheel = tmp_path / name
    wheel.write_bytes(archive(members_of({**files, "demo/TVM_FFI.DLL": pe_with_shared_thunks(1)})))
    refused(capsys, wheel, tmp_path / "out", 14, "a copy of the runtime")


def test_a_library_that_is_asked_for_by_a_strange_name_is_told_of_in_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    name = b"@rpath/libz3.dylib\n\x1b[2Jrepaired: everything\0".ljust(64, b"\0")
    library = mach_o([struct.pack("<6I", 0xC, 24 + len(name), 24, 0, 0, 0) + name], b"")
    # For a processor on which libraries need no signature.
    wheel = for_macos(tmp_path, one=library.replace(struct.pack("<I", 0x100000C), struct.pack("<I", 0x1000007)))
    main(["repair", str(wheel), "-w", str(tmp_path / "out"), "--exclude", "libz3*", "--dry-run"])
    said = capsys.readouterr()
    left_out = "left out @rpath/libz3.dylib\\n\\x1b[2Jrepaired: everything"
    assert said.out == f"{wheel.name}  tagged macosx_10_9_x86_64; {left_out}\n"
    assert all(line.isprintable() for line in said.err.splitlines())


LIMITED = """
import resource, sys
resource.setrlimit(resource.RLIMIT_AS, (700 << 20,) * 2)
resource.setrlimit(resource.RLIMIT_CPU, (20, 20))
resource.setrlimit(resource.RLIMIT_FSIZE, (256 << 20,) * 2)
from tvm_ffi_build.__main__ import main
main(sys.argv[1:])
"""


def zeros(size: int) -> bytes:
    """Return so many zero bytes, deflated; after a full flush the same piece may come again."""
    deflate = zlib.compressobj(9, zlib.DEFLATED, -15)
    piece = deflate.compress(bytes(1 << 20)) + deflate.flush(zlib.Z_FULL_FLUSH)
    return piece * (size >> 20) + b"\3\0"


def bomb(length: int, count: int = 1, **claimed: Any) -> bytes:
    """Return a wheel with libraries of zeros, and what it says of their size."""
    names = [f"demo/lib{i}.so" for i in range(count)]
    files, raw = files_of(), zeros(length)
    record = "".join(row(name, content) for name, content in files.items())
    record += "".join(row(name, b"") for name in names) + f"{INFO}RECORD,,\n"
    bombs = [Member(name, raw=raw).lying(**claimed) for name in names]
    return archive([*members_of(files, record), *bombs])


@pytest.mark.parametrize(
    "make",
    [
        lambda: bomb(10 << 30, size=MOST, extra=zip64(size=10 << 30)),
        lambda: bomb(10 << 30, size=4000),
        lambda: bomb(60 << 20, count=40, size=60 << 20),
        lambda: archive(members_of({**files_of(), **{f"demo/{i}.py": b"" for i in range(20_000)}})[:-1]),
    ],
    ids=["10 GB of zeros", "10 GB of zeros that claim to be few", "many of 60 MB", "20000 files and no RECORD"],
)
def test_a_bomb_takes_little_memory_time_and_disk(tmp_path: Path, make: Callable[[], bytes]) -> None:
    wheel = tmp_path / NAME
    wheel.write_bytes(make())
    before = digest(wheel)
    done = run(sys.executable, "-c", LIMITED, "repair", wheel, "-w", tmp_path / "out", ok=False, timeout=60)
    assert (done.returncode, done.stdout) == (13, "")
    assert re.fullmatch(r"tvm-ffi-build: error: .*\n", done.stderr)
    assert not (tmp_path / "out").exists()
    assert digest(wheel) == before


def test_a_wheel_cut_short_anywhere_is_refused(tmp_path: Path) -> None:
    whole = archive(members_of({**files_of(), LIB: b"short"}))
    wheel = tmp_path / NAME
    for size in range(len(whole)):
        wheel.write_bytes(whole[:size])
        with pytest.raises(WheelError), open_wheel(wheel) as opened:
            opened.verify()


def test_a_wheel_with_one_wrong_byte_is_refused_or_the_same(tmp_path: Path) -> None:
    """What is in no field that counts (a date) may be anything; what is in the files may not."""
    files = {**files_of(), LIB: b"short"}
    whole = archive(members_of(files))
    wheel = tmp_path / NAME
    for place in range(len(whole)):
        for flipped in (1, 0x80):
            content = bytearray(whole)
            content[place] ^= flipped
            wheel.write_bytes(content)
            with suppress(WheelError), open_wheel(wheel) as opened:
                opened.verify()
                assert {name: opened.read(name) for name in files} == files


def test_a_wheel_that_is_replaced_while_it_is_open_is_the_one_that_was_checked(tmp_path: Path) -> None:
    wheel = tmp_path / NAME
    wheel.write_bytes(archive(honest()))
    (tmp_path / "other").write_bytes(with_library(LIBRARY[::-1]))
    with open_wheel(wheel) as opened:
        opened.verify()
        (tmp_path / "other").replace(wheel)
        made = rewrite(opened, tmp_path, ["manylinux_2_28_x86_64"])
    with open_wheel(made) as result:
        result.verify()
        assert result.read(LIB) == LIBRARY


def test_a_wheel_with_a_requirement_that_never_ends_is_read(tmp_path: Path) -> None:
    """pip reads it too, and has its own opinion; here it is one that is not understood."""
    wheel = tmp_path / NAME
    wheel.write_bytes(archive(members_of(files_of(METADATA=f"{METADATA}Requires-Dist: deep; {'(' * 9999}\n"))))
    with open_wheel(wheel) as opened:
        assert [requirement.name for requirement in opened.requirements] == ["apache-tvm-ffi"]


def test_a_description_may_be_long(tmp_path: Path) -> None:
    wheel = tmp_path / NAME
    wheel.write_bytes(archive(members_of(files_of(METADATA=METADATA + "\n" + "line: text\n" * 300_000))))
    with open_wheel(wheel) as opened:
        opened.verify()


# A wheel as tools make them: names, contents, how each is packed, by which system, for whom it may be run.
PARTS = st.text(
    st.characters(exclude_categories=["Cc", "Cs"], exclude_characters='/\\\\:*?"<>|,'), min_size=1, max_size=12
).filter(lambda part: part not in {".", ".."} and not part.endswith(".dist-info"))
PACKED = st.fixed_dictionaries(
    {
        "content": st.binary(max_size=300) | st.binary(min_size=1, max_size=4).map(lambda part: part * 5000),
        "method": st.sampled_from([zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED]),
        "mode": st.sampled_from([0o644, 0o755, 0o600]),
        "system": st.sampled_from([0, 3]),
        "date": st.tuples(
            st.integers(1980, 2107), st.integers(1, 12), st.integers(1, 28), st.integers(0, 23), st.integers(0, 59),
            st.integers(0, 29).map(lambda half: half * 2),
        ),
    }
)  # fmt: skip
WHEELS = st.dictionaries(st.tuples(PARTS, PARTS).map(lambda parts: "pkg/" + "/".join(parts)), PACKED, max_size=5)
PLAIN = {"method": zipfile.ZIP_DEFLATED, "mode": 0o644, "system": 3, "date": (2024, 2, 3, 4, 5, 6)}
every_wheel = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=60)


def packed(path: Path, files: dict[str, dict[str, Any]], **options: Any) -> Path:
    """Write a wheel with zipfile, as most tools do."""
    texts = {f"{INFO}METADATA": METADATA.encode(), f"{INFO}WHEEL": WHEEL.encode()}
    files = {**files, **{name: {**PLAIN, "content": text} for name, text in texts.items()}, **options}
    record = "".join(row(name, packing["content"]) for name, packing in files.items()) + f"{INFO}RECORD,,\n"
    with zipfile.ZipFile(path, "w") as file:
        for name, packing in {**files, f"{INFO}RECORD": {**PLAIN, "content": record.encode()}}.items():
            member = zipfile.ZipInfo(name, packing["date"])
            member.create_system = packing["system"]
            member.external_attr = (stat.S_IFREG | packing["mode"]) << 16
            file.writestr(member, packing["content"], packing["method"])
    return path


def seen(path: Path) -> dict[str, tuple[Any, ...]]:
    """Return all that zipfile says of an archive, by name, in order; checksums have been compared."""
    with zipfile.ZipFile(path) as file:
        assert file.testzip() is None
        return {
            member.filename: (
                file.read(member), member.compress_type, member.compress_size, member.date_time,
                member.external_attr, member.create_system,
            )
            for member in file.infolist()
        }  # fmt: skip


def rewritten(
    wheel: Path, folder: Path, platforms: Iterable[str] | None = None, changed: dict[str, bytes] | None = None
) -> Path:
    """Write a wheel anew, twice, and check that the second is the same and that it is one."""
    made = []
    for name in ("first", "second"):
        (folder / name).mkdir(exist_ok=True)
        with open_wheel(wheel) as opened:
            opened.verify()
            made.append(rewrite(opened, folder / name, platforms, changed))
    assert made[0].read_bytes() == made[1].read_bytes()
    with open_wheel(made[0]) as result:
        result.verify()
    return made[0]


@every_wheel
@given(WHEELS)
def test_other_tags_change_nothing_else(tmp_path: Path, files: dict[str, dict[str, Any]]) -> None:
    wheel = packed(tmp_path / NAME, files)
    made = rewritten(wheel, tmp_path, ["manylinux_2_17_x86_64", "manylinux2014_x86_64"])
    assert made.name == "demo-1.0-py3-none-manylinux2014_x86_64.manylinux_2_17_x86_64.whl"
    before, after = seen(wheel), seen(made)
    assert list(before) == list(after)
    differ = {name for name in before if before[name] != after[name]}
    assert differ == {f"{INFO}WHEEL", f"{INFO}RECORD"}
    tags = "Tag: py3-none-manylinux2014_x86_64\nTag: py3-none-manylinux_2_17_x86_64\n"
    assert after[f"{INFO}WHEEL"][0] == WHEEL.replace("Tag: py3-none-linux_x86_64\n", tags).encode()
    rows = {line[0]: line[1:] for line in csv.reader(str(after[f"{INFO}RECORD"][0], "utf-8").splitlines())}
    assert list(rows) == list(after)


@every_wheel
@given(WHEELS, st.data())
def test_changed_files_change_nothing_else(
    tmp_path: Path, files: dict[str, dict[str, Any]], data: st.DataObject
) -> None:
    wheel = packed(tmp_path / NAME, files)
    changed = {
        name: data.draw(st.binary(max_size=50)) for name in data.draw(st.sets(st.sampled_from([*files, "pkg/new"])))
    }
    made = rewritten(wheel, tmp_path, changed=changed)
    before, after = seen(wheel), seen(made)
    for name, content in changed.items():
        assert after[name][0] == content
        # Who may run it, and when it was made, stays.
        assert name not in before or after[name][3:] == before[name][3:]
    assert list(after)[-1] == f"{INFO}RECORD"
    same = before.keys() - changed.keys() - ({f"{INFO}RECORD"} if changed else set())
    assert {name: after[name] for name in same} == {name: before[name] for name in same}


@every_wheel
@given(WHEELS)
def test_a_wheel_for_tools_is_the_same_wheel(tmp_path: Path, files: dict[str, dict[str, Any]]) -> None:
    wheel = packed(tmp_path / NAME, files)
    (tmp_path / "stored").mkdir(exist_ok=True)
    with open_wheel(wheel) as opened:
        unpacked = opened.verify(tmp_path / "files", lambda name: name.startswith("pkg/"))
        made = write_stored(opened, unpacked, tmp_path / "stored")
    before, after = seen(wheel), seen(made)
    assert list(before) == list(after)
    assert [value[0] for value in before.values()] == [value[0] for value in after.values()]
    assert {value[1] for name, value in after.items() if name in files} <= {zipfile.ZIP_STORED}
    with open_wheel(made) as result:
        result.verify()


def test_new_files_come_in_an_order_that_is_no_chance(tmp_path: Path) -> None:
    wheel = packed(tmp_path / NAME, {})
    names = [f"pkg/new{i}" for i in range(20)]
    made = rewritten(wheel, tmp_path, changed=dict.fromkeys(reversed(names), b""))
    assert [name for name in seen(made) if name in names] == sorted(names)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("A: 1\nTag: py3-none-linux_x86_64\n", "A: 1\nTag: py3-none-manylinux_2_28_x86_64\n"),
        ("A: 1\nTag: py3-none-linux_x86_64\n\n", "A: 1\nTag: py3-none-manylinux_2_28_x86_64\n\n"),
        ("A: 1\nTag: py3-none-linux_x86_64", "A: 1\nTag: py3-none-manylinux_2_28_x86_64\n"),
        ("A: 1\r\nTag: py3-none-linux_x86_64\r\n", "A: 1\r\nTag: py3-none-manylinux_2_28_x86_64\r\n"),
        ("A: 1\r\nTag: py3-none-linux_x86_64\r\n\r\n", "A: 1\r\nTag: py3-none-manylinux_2_28_x86_64\r\n\r\n"),
        ("TAG:py3-none-linux_x86_64\nA: 1\n", "A: 1\nTag: py3-none-manylinux_2_28_x86_64\n"),
        ("A: 1\nTag:\n py3-none-linux_x86_64\nB: 2\n", "A: 1\nB: 2\nTag: py3-none-manylinux_2_28_x86_64\n"),
        ("Tag: py3-none-linux_x86_64\nA: x\u2028Tag: y\n", "A: x\u2028Tag: y\nTag: py3-none-manylinux_2_28_x86_64\n"),
        ("Tag: py3-none-linux_x86_64\n\nTag: text\n", "Tag: py3-none-manylinux_2_28_x86_64\n\nTag: text\n"),
    ],
)
def test_wheel_keeps_what_is_not_its_tags(tmp_path: Path, before: str, after: str) -> None:
    wheel = tmp_path / NAME
    wheel.write_bytes(archive(members_of(files_of(WHEEL=before))))
    made = rewritten(wheel, tmp_path, ["manylinux_2_28_x86_64"])
    assert str(seen(made)[f"{INFO}WHEEL"][0], "utf-8") == after


def test_metadata_that_comes_with_vendored_packages_is_not_the_wheels_own(tmp_path: Path) -> None:
    wheel = tmp_path / NAME
    wheel.write_bytes(archive(members_of({**files_of(), "demo/_vendor/other-1.0.dist-info/METADATA": b"Name: other"})))
    rewritten(wheel, tmp_path, ["manylinux_2_28_x86_64"])


def test_signatures_of_a_record_that_changes_are_dropped(tmp_path: Path) -> None:
    files = files_of()
    record = "".join(row(name, content) for name, content in files.items()) + f"{INFO}RECORD,,\n{INFO}RECORD.jws,,\n"
    wheel = tmp_path / NAME
    wheel.write_bytes(archive([*members_of(files, record), Member(f"{INFO}RECORD.jws", b"signed")]))
    assert f"{INFO}RECORD.jws" in seen(rewritten(wheel, tmp_path))
    after = seen(rewritten(wheel, tmp_path, ["manylinux_2_28_x86_64"]))
    assert f"{INFO}RECORD.jws" not in after
    assert b".jws" not in after[f"{INFO}RECORD"][0]


def test_a_member_that_was_streamed_is_read_and_copied(tmp_path: Path) -> None:
    """Sizes and checksum stand behind its bytes, as of tools that write to a pipe."""

    class Pipe(io.BytesIO):
        def seekable(self) -> bool:
            return False

        def tell(self) -> int:
            raise io.UnsupportedOperation

    pipe = Pipe()
    with zipfile.ZipFile(pipe, "w", zipfile.ZIP_DEFLATED) as file:
        for member in honest():
            file.writestr(str(member.name), member.content)
    wheel = tmp_path / NAME
    wheel.write_bytes(pipe.getvalue())
    with zipfile.ZipFile(wheel) as file:
        assert file.infolist()[0].flag_bits & 8
    rewritten(wheel, tmp_path, ["manylinux_2_28_x86_64"])


def test_a_wheel_behind_something_else_is_read(tmp_path: Path) -> None:
    wheel = tmp_path / NAME
    wheel.write_bytes(b"#!/bin/sh\n" + archive(honest()))
    assert rewritten(wheel, tmp_path, ["manylinux_2_28_x86_64"]).read_bytes()[:4] == b"PK\3\4"


def test_a_wheel_without_dates_has_the_first_of_all_dates(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SOURCE_DATE_EPOCH", raising=False)
    wheel = tmp_path / NAME
    wheel.write_bytes(archive(member.lying(date=0) for member in honest()))
    with open_wheel(wheel) as opened:
        assert Contents(opened, LINUX, {}, {}, wheel).source_date() == {"SOURCE_DATE_EPOCH": "315532800"}
    assert seen(rewritten(wheel, tmp_path, ["manylinux_2_28_x86_64"]))[LIB][3] == (1980, 0, 0, 0, 0, 0)


def test_a_second_name_in_an_extra_field_gets_nowhere(tmp_path: Path) -> None:
    """Info-ZIP's Unicode path, which newer Pythons and other readers take for the name."""
    name = b"../../evil.py"
    path = struct.pack("<BI", 1, zlib.crc32(INIT.encode())) + name
    extra = struct.pack("<HH", 0x7075, len(path)) + path
    wheel = tmp_path / NAME
    wheel.write_bytes(changed(INIT, lambda member: replace(member, directory={"extra": extra})))
    with suppress(WheelError):
        assert name not in rewritten(wheel, tmp_path, ["manylinux_2_28_x86_64"]).read_bytes()


def test_folders_of_their_own_are_kept(tmp_path: Path) -> None:
    wheel = tmp_path / NAME
    folder = Member("demo/", b"", zipfile.ZIP_STORED, attributes=(stat.S_IFDIR | 0o755) << 16)
    wheel.write_bytes(archive([folder, *honest()]))
    assert next(iter(seen(rewritten(wheel, tmp_path, ["manylinux_2_28_x86_64"])))) == "demo/"


ZEROS = bytes(64 << 20)


class Sparse(io.FileIO):
    """A file that leaves holes for zeros, so that gigabytes take no time."""

    def write(self, data: Any) -> int:
        if data is ZEROS:
            self.seek(len(data), os.SEEK_CUR)
            return len(data)
        return super().write(data)


def large_member(name: str, size: int, checksum: int = 0) -> zipfile.ZipInfo:
    member = zipfile.ZipInfo(name, (2024, 1, 2, 3, 4, 6))
    member.file_size = member.compress_size = size
    member.CRC = checksum
    return member


@pytest.mark.parametrize("pieces", [63, 64, 65], ids=["just below 4 GiB", "4 GiB", "above"])
def test_what_stands_behind_four_gigabytes_is_found_by_every_reader(tmp_path: Path, pieces: int) -> None:
    path, date = tmp_path / "large.zip", (2024, 1, 2, 3, 4, 6)
    with Sparse(str(path), "w") as file:
        made = writer.ArchiveWriter(file)
        made.add("first", b"before", date)
        made.store(large_member("large", pieces << 26), [ZEROS] * pieces)
        made.add("last", b"behind", date)
        made.copy(large_member("copied", pieces << 26), [ZEROS] * pieces)
        made.add("very last", b"behind both", date)
        made.finish()
    small = {"first": "before", "last": "behind", "very last": "behind both"}
    with zipfile.ZipFile(path) as archived:
        assert [member.file_size for member in archived.infolist()] == [6, pieces << 26, 6, pieces << 26, 11]
        assert {name: archived.read(name).decode() for name in small} == small
    assert {name: run("unzip", "-p", path, name).stdout for name in small} == small
    with open_archive(path) as own:
        assert {name: b"".join(own.chunks(name)).decode() for name in small} == small
        assert own.members["copied"].compress_size == pieces << 26


def test_a_size_that_only_looks_like_zip64(tmp_path: Path) -> None:
    """0xFFFFFFFF stands for a number elsewhere, so it takes the other place itself."""
    path = tmp_path / "large.zip"
    with Sparse(str(path), "w") as file:
        made = writer.ArchiveWriter(file)
        made.store(large_member("large", MOST), [*([ZEROS] * 63), ZEROS[:-1]])
        made.finish()
    with zipfile.ZipFile(path) as archived:
        assert archived.infolist()[0].file_size == MOST
    with open_archive(path) as own:
        assert own.members["large"].file_size == MOST


@pytest.mark.parametrize("count", [65534, 65535])
def test_more_members_than_sixteen_bits_count(tmp_path: Path, count: int) -> None:
    path = tmp_path / "many.zip"
    with path.open("wb") as file:
        made = writer.ArchiveWriter(file)
        for number in range(count):
            made.copy(large_member(f"{number}", 0), [])
        made.finish()
    assert (b"PK\6\6" in path.read_bytes()) == (count >= 65535)
    with zipfile.ZipFile(path) as archived:
        assert len(archived.infolist()) == count
    with open_archive(path) as own:
        assert len(own.members) == count


@pytest.mark.slow
def test_a_wheel_of_more_than_four_gigabytes_is_rewritten(tmp_path: Path) -> None:
    size, checksum, hasher = 65 << 26, 0, hashlib.sha256()
    for _ in range(65):
        checksum = zlib.crc32(ZEROS, checksum)
        hasher.update(ZEROS)
    large = f"demo/large.bin,sha256={base64.urlsafe_b64encode(hasher.digest()).rstrip(b'=').decode()},{size}\n"
    files = files_of()
    record = "".join(row(name, content) for name, content in files.items()) + f"{large}{INFO}RECORD,,\n"
    wheel = tmp_path / NAME
    with Sparse(str(wheel), "w") as file:
        made = writer.ArchiveWriter(file)
        made.store(large_member("demo/large.bin", size, checksum), [ZEROS] * 65)
        for name, content in {**files, f"{INFO}RECORD": record.encode()}.items():
            made.add(name, content, (2024, 1, 2, 3, 4, 6))
        made.finish()
    with open_wheel(wheel) as opened:
        opened.verify()
        path = rewrite(opened, tmp_path, ["manylinux_2_28_x86_64"])
        with open_wheel(path) as result:
            result.verify(verified=opened)
            assert result.read(LIB) == LIBRARY
    run("unzip", "-t", path)
    path.unlink()


def test_pip_installs_what_was_rewritten(tmp_path: Path, environment: Environment) -> None:
    (machine,) = {platform.machine()}
    tag = f"linux_{machine}"
    files = {
        **files_of(WHEEL=WHEEL.replace("linux_x86_64", tag)),
        "demo/größe.txt": b"text",
        "demo/run": b"#!/bin/sh\n",
    }
    wheel = tmp_path / NAME.replace("linux_x86_64", tag)
    modes = {"demo/run": 0o100755 << 16}
    wheel.write_bytes(
        archive(
            replace(member, attributes=modes.get(str(member.name), member.attributes)) for member in members_of(files)
        )
    )
    made = rewritten(wheel, tmp_path, [f"manylinux_2_17_{machine}"])
    run("unzip", "-t", made)
    environment.install("pip")
    environment.run("-m", "pip", "install", "--quiet", "--no-deps", "--no-index", made)
    for name, content in files.items():
        if not name.startswith(INFO):
            assert (environment.site_packages / name).read_bytes() == content
    assert os.access(environment.site_packages / "demo/run", os.X_OK)
    assert not os.access(environment.site_packages / LIB, os.X_OK)
    assert "demo" in environment.run("-m", "pip", "show", "--files", "demo")
    environment.run("-m", "pip", "uninstall", "--quiet", "--yes", "demo")
    assert not (environment.site_packages / "demo").exists()


@pytest.mark.parametrize("large", [0, 1 << 40])
@pytest.mark.parametrize("changed", [None, 0, 1_000_000, 2_999_999])
def test_large_files_are_verified_and_unpacked_as_small_ones(
    tmp_path: Path,
    make_wheel: Callable[..., Path],
    monkeypatch: pytest.MonkeyPatch,
    large: int,
    changed: int | None,
) -> None:
    """Beside being inflated, in another thread; here that is done to all files, or to none."""
    monkeypatch.setattr(wheel_module, "_LARGE", large)
    content = b"".join(number.to_bytes(3, "big") for number in range(1_000_000))
    claimed = bytearray(content)
    if changed is not None:
        claimed[changed] ^= 1
    row = record_row("demo/data.bin", bytes(claimed))
    path = make_wheel({"demo/data.bin": content, "demo/empty.py": b""})
    path = with_record_row(path, "demo/data.bin", row)
    with open_wheel(path) as wheel:
        if changed is not None:
            with pytest.raises(ContradictionError, match="not what RECORD says"):
                wheel.verify()
        else:
            unpacked = wheel.verify(tmp_path / "out", lambda name: name.startswith("demo/"))
            assert unpacked["demo/data.bin"].read_bytes() == content
            assert unpacked["demo/empty.py"].read_bytes() == b""


def with_record_row(path: Path, name: str, row: str) -> Path:
    """Write a wheel once more, in whose RECORD a row is another."""
    with zipfile.ZipFile(path) as archive:
        members = {member: archive.read(member) for member in archive.namelist()}
    (record,) = (member for member in members if member.endswith("RECORD"))
    lines = members[record].decode().splitlines(keepends=True)
    members[record] = "".join(row if line.startswith(f"{name},") else line for line in lines).encode()
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for member, content in members.items():
            archive.writestr(member, content)
    return path
