"""Wheels: hostile archives are refused in one line, and a rewritten wheel is valid and differs only in the change."""

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
import zipfile
import zlib
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from forged_libraries import LIBRARY, mach_o, pe_with_shared_thunks
from forged_wheels import (
    INFO,
    INIT,
    LIB,
    METADATA,
    MOST,
    NAME,
    WHEEL,
    Member,
    archive,
    changed,
    deflated,
    files_of,
    honest,
    members_of,
    row,
    with_library,
)
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support.errors import read_error
from support.processes import run
from support.wheels import record_row

from tvm_ffi_build.__main__ import main
from tvm_ffi_build.errors import ContradictionError, RefusedError, WheelError
from tvm_ffi_build.platforms.systems import LINUX
from tvm_ffi_build.repair.tools import source_date
from tvm_ffi_build.wheels import open_wheel, rewrite, write_stored, writer
from tvm_ffi_build.wheels import wheel as wheel_module
from tvm_ffi_build.wheels.archive import open_archive
from tvm_ffi_build.wheels.libraries import WheelLibraries

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from support.environments import Environment


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def refused(capsys: pytest.CaptureFixture[str], wheel: Path, out: Path, exit_code: int = 2, message: str = "") -> None:
    """Check that a repair answers with one line and an exit code, and has written and changed nothing."""
    before = digest(wheel) if wheel.is_file() else None
    with pytest.raises(SystemExit) as caught:
        main(["repair", str(wheel), "-w", str(out)])
    said = capsys.readouterr()
    assert caught.value.code == exit_code, said.err
    assert said.out == ""
    error = read_error(said.err)
    assert len(error) < 600
    assert error.isprintable()
    assert re.search(message, error), error
    assert not out.exists() or not any(out.iterdir())
    assert before is None or digest(wheel) == before


def test_the_wheel_that_the_hostile_ones_are_made_of_is_one(tmp_path: Path) -> None:
    """So it is the one thing that was changed which is refused."""
    wheel = tmp_path / NAME
    wheel.write_bytes(archive(honest()))
    with open_wheel(wheel) as opened:
        opened.verify()


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
    refused(capsys, wheel, tmp_path / "out", 5, "other.dylib cannot be loaded there: it is PE, not Mach-O")


def test_a_copy_of_the_runtime_is_found_whatever_the_case_of_its_name(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    name = NAME.replace("linux_x86_64", "win_amd64")
    files = files_of(WHEEL=WHEEL.replace("linux_x86_64", "win_amd64"))
    del files[LIB]
    wheel = tmp_path / name
    wheel.write_bytes(archive(members_of({**files, "demo/TVM_FFI.DLL": pe_with_shared_thunks(1)})))
    refused(capsys, wheel, tmp_path / "out", 5, "a copy of the runtime")


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
            st.integers(1980, 2107),
            st.integers(1, 12),
            st.integers(1, 28),
            st.integers(0, 23),
            st.integers(0, 59),
            st.integers(0, 29).map(lambda half: half * 2),
        ),
    }
)
WHEELS = st.dictionaries(st.tuples(PARTS, PARTS).map(lambda parts: "pkg/" + "/".join(parts)), PACKED, max_size=5)
PLAIN = {"method": zipfile.ZIP_DEFLATED, "mode": 0o644, "system": 3, "date": (2024, 2, 3, 4, 5, 6)}
every_wheel = settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow], deadline=None, max_examples=60
)


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
                file.read(member),
                member.compress_type,
                member.compress_size,
                member.date_time,
                member.external_attr,
                member.create_system,
            )
            for member in file.infolist()
        }


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
    rows = {line[0]: line[1:] for line in csv.reader(io.StringIO(after[f"{INFO}RECORD"][0].decode(), newline=""))}
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
        unpacked = opened.verify(tmp_path / "files", lambda name, _: name.startswith("pkg/"))
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


@pytest.mark.parametrize("signature", ["RECORD.jws", "RECORD.p7s"])
def test_a_signed_wheel_is_copied_and_not_changed(tmp_path: Path, signature: str) -> None:
    files = files_of()
    rows = f"{INFO}RECORD,,\n{INFO}{signature},,\n"
    record = "".join(row(name, content) for name, content in files.items()) + rows
    wheel = tmp_path / NAME
    wheel.write_bytes(archive([*members_of(files, record), Member(f"{INFO}{signature}", b"signed")]))
    assert seen(rewritten(wheel, tmp_path))[f"{INFO}{signature}"] == seen(wheel)[f"{INFO}{signature}"]
    message = rf"^{NAME} is signed \({signature}\), and a changed wheel would not match its signature; repair it first"
    with pytest.raises(RefusedError, match=message):
        rewritten(wheel, tmp_path, ["manylinux_2_28_x86_64"])


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


def streamed(member: Member, form: str) -> Member:
    """Return a member whose checksum and sizes follow its bytes, as tools write it that cannot seek."""
    content = member.content
    packed = deflated(content)
    numbers = zlib.crc32(content), len(packed), len(content)
    size = "Q" if "64" in form else "I"
    descriptor = (b"PK\7\x08" if "signature" in form else b"") + struct.pack(f"<I2{size}", *numbers)
    zeros = {"crc": 0, "compressed": 0, "size": 0, "flags": 8}
    return replace(member, raw=packed + descriptor, local=zeros, directory={"flags": 8, "compressed": len(packed)})


@pytest.mark.parametrize("form", ["signature", "no", "signature 64", "no 64"])
def test_streamed_members_are_read(tmp_path: Path, form: str) -> None:
    wheel = tmp_path / NAME
    wheel.write_bytes(archive(streamed(member, form) for member in honest()))
    with open_wheel(wheel) as opened:
        assert len(list(opened.verify())) == 0


HIDDEN = b"".join(Member("demo/hidden.py", b"import os").headers(0)[:2])


def between(extra: bytes) -> bytes:
    """Return a wheel with bytes of no member between two members."""
    first, *others = honest()
    raw = deflated(first.content)
    sizes = {"compressed": len(raw)}
    return archive([replace(first, raw=raw + extra, local=sizes, directory=sizes), *others])


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"#!/bin/sh\n" + archive(honest()), "bytes before 'demo/__init__.py' that belong to no member"),
        (HIDDEN + archive(honest()), "bytes before 'demo/__init__.py' that belong to no member"),
        (between(b"x"), "bytes before 'demo/lib/demo.so' that belong to no member"),
        (between(HIDDEN), "bytes before 'demo/lib/demo.so' that belong to no member"),
        (archive(honest()) + archive(honest()), "bytes before 'demo/__init__.py' that belong to no member"),
        (archive(honest(), count=1), "a directory whose size or count is wrong"),
        (archive(honest(), count=99), "a directory whose size or count is wrong"),
    ],
)
def test_bytes_that_other_readers_may_read_as_files(tmp_path: Path, content: bytes, reason: str) -> None:
    wheel = tmp_path / NAME
    wheel.write_bytes(content)
    with pytest.raises(WheelError, match=reason), open_wheel(wheel):
        pass


@pytest.mark.parametrize("form", ["lie in the size", "lie in the checksum"])
def test_a_streamed_member_whose_header_lies(tmp_path: Path, form: str) -> None:
    lie = {"size": 5} if "size" in form else {"crc": 5}
    first, *others = [streamed(member, "signature") for member in honest()]
    wheel = tmp_path / NAME
    wheel.write_bytes(archive([replace(first, local={**first.local, **lie}), *others]))
    with pytest.raises(WheelError, match="is damaged at"), open_wheel(wheel):
        pass


def test_members_in_another_order_than_the_directory(tmp_path: Path) -> None:
    members = honest()
    offsets = {}
    at = 0
    for member in members:
        offsets[member.name] = at
        at += sum(map(len, member.headers(at)[:2]))
    content = archive(members)
    size = len(content) - 22 - at
    entries = [member.headers(offsets[member.name])[2] for member in reversed(members)]
    wheel = tmp_path / NAME
    wheel.write_bytes(content[:at] + b"".join(entries) + content[at + size :])
    with pytest.raises(WheelError, match="in another order than its directory"), open_wheel(wheel):
        pass


def test_a_wheel_without_dates_has_the_first_of_all_dates(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SOURCE_DATE_EPOCH", raising=False)
    wheel = tmp_path / NAME
    wheel.write_bytes(archive(member.lying(date=0) for member in honest()))
    with open_wheel(wheel) as opened:
        assert source_date(WheelLibraries(opened, LINUX, {}, {}, wheel)) == {"SOURCE_DATE_EPOCH": "315532800"}
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
        made.copy(large_member("large", pieces << 26), [ZEROS] * pieces, stored=True)
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
        made.copy(large_member("large", MOST), [*([ZEROS] * 63), ZEROS[:-1]], stored=True)
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
        made.copy(large_member("demo/large.bin", size, checksum), [ZEROS] * 65, stored=True)
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
            unpacked = wheel.verify(tmp_path / "out", lambda name, _: name.startswith("demo/"))
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
