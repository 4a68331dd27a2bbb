"""Wheels as strangers may send them: built byte by byte, so that each may lie about anything."""

from __future__ import annotations

import base64
import csv
import hashlib
import io
import os
import stat
import struct
import zipfile
import zlib
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from forged_libraries import LIBRARY

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

NAME = "demo-1.0-py3-none-linux_x86_64.whl"
INFO = "demo-1.0.dist-info/"
METADATA = "Metadata-Version: 2.1\nName: demo\nVersion: 1.0\nRequires-Dist: apache-tvm-ffi\n"
WHEEL = "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: false\nTag: py3-none-linux_x86_64\n"


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
            "version": 20,
            "flags": 0 if name.isascii() else 0x800,
            "method": self.method,
            "time": 0,
            "date": 0x21,
            "crc": zlib.crc32(self.content),
            "compressed": len(raw),
            "size": len(self.content),
            "name": name,
            "extra": b"",
            "attributes": self.attributes,
            "offset": offset,
        }
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


def mislabelled(local: dict[str, Any] | None = None, directory: dict[str, Any] | None = None) -> bytes:
    """Return a wheel with wrong fields in the local header of the library, or in the directory."""
    return changed(LIB, lambda member: replace(member, local=local or {}, directory=directory or {}))


def with_metadata(**texts: str | bytes) -> bytes:
    """Return a wheel with another ``METADATA`` or ``WHEEL``."""
    return archive(members_of(files_of(**texts)))


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
WHEELS: dict[str, tuple[Callable[[], bytes], str]] = {
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
    "a name that is not UTF-8": (
        lambda: with_file(b"demo/\xff.py", local={"flags": 0x800}, directory={"flags": 0x800}),
        "not a zip",
    ),
    "a name longer than folders take": (lambda: with_file(f"demo/{'x' * 300}.so"), "too long"),
    "a path longer than systems take": (lambda: with_file("d/" * 3000 + "lib.so"), "too long"),
    "a name that grows in UTF-8": (
        lambda: with_file(b"\x80" * 40_000, local={"flags": 0}, directory={"flags": 0}),
        "too long",
    ),
    "a file that is a folder too": (lambda: with_file(f"{LIB}/inner.so"), "file and directory"),
    "a folder with contents": (lambda: with_file("demo/folder/", attributes=0o40755 << 16), "directory with contents"),
    "a folder with hidden bytes": (
        lambda: with_file("demo/folder/", content=b"", raw=b"hidden bytes"),
        "damaged|contents",
    ),
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
    "another name before the bytes": (lambda: mislabelled(local={"name": b"demo/lib/evil.so"}), "damaged"),
    "another size before the bytes": (lambda: mislabelled(local={"size": 1}), "damaged"),
    "another compressed size before the bytes": (lambda: mislabelled(local={"compressed": 1}), "damaged"),
    "another method before the bytes": (lambda: mislabelled(local={"method": 0}), "damaged"),
    "another CRC before the bytes": (lambda: mislabelled(local={"crc": 1}), "damaged"),
    "a member outside of the file": (lambda: mislabelled(directory={"offset": 1 << 30}), "damaged"),
    "a member in the directory": (lambda: mislabelled(directory={"compressed": 1 << 20}), "damaged"),
    "a name that fills the file": (lambda: mislabelled(local={"name": b"x" * 60_000}), "damaged"),
    # ZIP64.
    "more than 2^63 bytes": (
        lambda: changed(
            LIB, lambda member: replace(member, directory={"size": MOST, "extra": zip64(size=(1 << 64) - 1)})
        ),
        "suspicious compression ratio",
    ),
    "2^63 bytes, and as many compressed": (
        lambda: changed(
            LIB,
            lambda member: replace(
                member, directory={"size": MOST, "compressed": MOST, "extra": zip64(size=1 << 63, compressed=1 << 63)}
            ),
        ),
        "GiB",
    ),
    "a place behind 2^63": (
        lambda: changed(
            LIB, lambda member: replace(member, directory={"offset": MOST, "extra": zip64(offset=(1 << 64) - 1)})
        ),
        "damaged",
    ),
    "ZIP64 without the numbers": (lambda: mislabelled(directory={"size": MOST, "extra": zip64()}), "not a zip"),
    "ZIP64 that is cut short": (lambda: mislabelled(directory={"size": MOST, "extra": b"\1\0\x08\0\0"}), "not a zip"),
    "an extra field longer than itself": (lambda: mislabelled(directory={"extra": b"\1\0\xff\xff"}), "not a zip"),
    # The archive.
    "an empty file": (lambda: b"", "not a zip"),
    "not a zip": (lambda: b"\x1f\x8b" + bytes(2000), "not a zip"),
    "an empty archive": (lambda: archive([]), r"no \.dist-info"),
    "a directory in front of the file": (lambda: archive(honest(), start=1 << 20), "not a zip|damaged"),
    "a directory some bytes further": (
        lambda: archive(honest(), start=len(archive(honest())) - 22 - 50),
        "not a zip|damaged",
    ),
    "members before the file": (
        lambda: archive(honest(), start=sum(len(part) for member in honest() for part in member.headers(0)[:2]) + 9),
        "not a zip|damaged",
    ),
    "a directory larger than the file": (lambda: archive(honest(), size=1 << 20), "not a zip"),
    "more entries than there are": (
        lambda: archive(honest(), size=sum(len(member.headers(0)[2]) for member in honest()) - 60),
        "not a zip|damaged",
    ),
    # RECORD.
    "a file that RECORD does not know": (
        lambda: archive([*honest(), Member("demo/evil.py", b"evil")]),
        "does not list",
    ),
    "a RECORD of files that are not there": (
        lambda: with_record(lambda text: row("demo/gone.py", b"") + text),
        "has no 'demo/gone.py'",
    ),
    "a RECORD of files elsewhere": (lambda: with_record(lambda text: row("../../etc/passwd", b"") + text), "has no"),
    "a wrong hash": (
        lambda: with_record(lambda text: text.replace(row(LIB, LIBRARY), row(LIB, b"other" + LIBRARY[5:]))),
        "not what RECORD says",
    ),
    "a wrong size": (
        lambda: with_record(lambda text: text.replace(f",{len(LIBRARY)}\n", ",12\n")),
        "not what RECORD says",
    ),
    "a size that is no number": (
        lambda: with_record(lambda text: text.replace(f",{len(LIBRARY)}\n", ",-1e9\n")),
        "not what RECORD says",
    ),
    "MD5 only": (lambda: with_record(lambda text: text.replace("sha256=", "md5=")), "no SHA-256"),
    "no hash": (
        lambda: with_record(lambda text: "".join(f"{line.split(',')[0]},,\n" for line in text.splitlines())),
        "no SHA-256",
    ),
    "a hash nobody knows": (lambda: with_record(lambda text: text.replace("sha256=", "shake_128=")), "no SHA-256"),
    "a row twice": (lambda: with_record(lambda text: row(LIB, LIBRARY) + text), "in its RECORD"),
    "rows of two columns": (lambda: with_record(lambda text: text.replace(",,", ",")), "in its RECORD"),
    "a RECORD that is no table": (lambda: with_record(lambda text: f'"{text}'), "not a table"),
    "a RECORD that is not UTF-8": (lambda: with_record(lambda text: text.encode()[:-1] + b"\xff\n"), "not UTF-8"),
    "an empty RECORD": (lambda: with_record(lambda _: ""), "does not list"),
    "no RECORD": (lambda: archive(honest()[:-1]), "no demo-1.0.dist-info/RECORD"),
    "a RECORD of 20 MiB": (lambda: with_record(lambda text: text + os.urandom(10 << 20).hex()), "MiB"),
    # Metadata.
    "two dist-infos": (lambda: archive(members_of({**files_of(), "other-1.0.dist-info/METADATA": b"x"})), "dist-info"),
    "another project's dist-info": (
        lambda: archive([replace(member, name=str(member.name).replace("demo-", "other-")) for member in honest()]),
        r"holds 'other-1\.0",
    ),
    "no METADATA": (
        lambda: archive(members_of({name: text for name, text in files_of().items() if "METADATA" not in name})),
        "has no .*METADATA",
    ),
    "no WHEEL": (
        lambda: archive(members_of({name: text for name, text in files_of().items() if "WHEEL" not in name})),
        "has no .*WHEEL",
    ),
    "another name inside": (lambda: with_metadata(METADATA=METADATA.replace("demo", "other")), "it is 'other 1.0'"),
    "another version inside": (lambda: with_metadata(METADATA=METADATA.replace("1.0", "1.1")), "it is 'demo 1.1'"),
    "a version that is none": (
        lambda: with_metadata(METADATA=METADATA.replace("1.0", "latest")),
        "it is 'demo latest'",
    ),
    "a version of many digits": (
        lambda: with_metadata(METADATA=METADATA.replace("1.0", "1" * 9999)),
        "it is 'demo 1111",
    ),
    "a name of two lines": (lambda: with_metadata(METADATA=METADATA.replace("demo", "demo\n x")), "it is"),
    "empty METADATA": (lambda: with_metadata(METADATA=b""), "it is 'nothing'"),
    "METADATA that is not UTF-8": (lambda: with_metadata(METADATA=METADATA.encode() + b"\xff"), "not UTF-8"),
    "METADATA of 20 MiB": (
        lambda: with_metadata(METADATA=METADATA.encode() + os.urandom(10 << 20).hex().encode()),
        "MiB",
    ),
    "METADATA with a million fields": (
        lambda: with_metadata(METADATA=METADATA + "".join(f"{i}:\n" for i in range(1_000_000))),
        "METADATA",
    ),
    "a WHEEL that is not UTF-8": (lambda: with_metadata(WHEEL=WHEEL.encode() + b"\xff"), "not UTF-8"),
    "other tags inside": (lambda: with_metadata(WHEEL=WHEEL.replace("py3", "cp311")), "its tags are 'cp311"),
    "more tags inside": (lambda: with_metadata(WHEEL=WHEEL + "Tag: py2-none-linux_x86_64\n"), "its tags are"),
    "of a format to come": (
        lambda: with_metadata(WHEEL=WHEEL.replace("1.0", "2.0")),
        "has wheel format '2', and only 1 is supported",
    ),
    "no tags inside": (lambda: with_metadata(WHEEL="Wheel-Version: 1.0\n"), "its tags are 'none'"),
    "tags without end": (lambda: with_metadata(WHEEL=f"{WHEEL}Tag: {many_tags()}\n"), "its tags are"),
    "a tag without parts": (lambda: with_metadata(WHEEL="Tag: any\n"), "its tags are"),
}


def many_tags() -> str:
    """Return a compressed tag set that stands for 10^12 tags."""
    return "-".join(".".join([part] * 9999) for part in ("py3", "none", "linux_x86_64"))


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


BOMBS: dict[str, Callable[[], bytes]] = {
    "10 GB of zeros": lambda: bomb(10 << 30, size=MOST, extra=zip64(size=10 << 30)),
    "10 GB of zeros that claim to be few": lambda: bomb(10 << 30, size=4000),
    "many of 60 MB": lambda: bomb(60 << 20, count=40, size=60 << 20),
    "20000 files and no RECORD": lambda: archive(
        members_of({**files_of(), **{f"demo/{i}.py": b"" for i in range(20_000)}})[:-1]
    ),
}
# Those that say two things of themselves: an audit's finding, where all else makes a file unreadable.
CONTRADICTIONS = {
    "an empty archive",
    "a file that RECORD does not know",
    "a RECORD of files that are not there",
    "a RECORD of files elsewhere",
    "a wrong hash",
    "a wrong size",
    "a size that is no number",
    "MD5 only",
    "no hash",
    "a hash nobody knows",
    "a row twice",
    "rows of two columns",
    "a RECORD that is no table",
    "a RECORD that is not UTF-8",
    "an empty RECORD",
    "two dist-infos",
    "another project's dist-info",
    "another name inside",
    "another version inside",
    "a version that is none",
    "a version of many digits",
    "a name of two lines",
    "empty METADATA",
    "other tags inside",
    "more tags inside",
    "no tags inside",
    "tags without end",
    "a tag without parts",
}

# What Windows does not write as it is named: refused where a wheel is for Windows, good names elsewhere.
WINDOWS_NAMES = (
    "demo/aux.py",
    "demo/CON",
    "demo/nul.tar.gz",
    "prn/a.py",
    "demo/com1.txt",
    "demo/LPT9.tar.gz",
    "demo/conin$",
    "demo/com\u00b9.py",
    "demo/aux .py",
    "demo/a.",
    "demo/a ",
    "demo./a.py",
)


def tagged(tag: str, files: dict[str, bytes]) -> tuple[str, bytes]:
    """Return the name and the bytes of an honest wheel for another platform, with some more files."""
    texts = files_of(WHEEL=WHEEL.replace("linux_x86_64", tag))
    return NAME.replace("linux_x86_64", tag), archive(members_of({**texts, **files}))


# Of files that should be wheels.
NAMES_OF_WHEELS = (
    "demo.whl",
    "demo-1.0.whl",
    "demo-1.0-py3-none.whl",
    "demo-latest-py3-none-any.whl",
    "demo-1.0-x-py3-none-any.whl",
    "demo--py3-none-any.whl",
    "demo-1.0-py3-none-any.zip",
    ".whl",
    "-----.whl",
    "demo-1.0-1-1-py3-none-any.whl",
    "two\nlines-1.0-py3-none-any.whl",
    "demo\n-1.0-py3-none-any.whl",
    "demo\x1b[2J-1.0-py3-none-any.whl",
    "demo\udcff-1.0-py3-none-any.whl",
)
# Those that pip hands on; it looks for little more than a name and METADATA.
RUNTIME_WHEELS = ("not a zip", "a path upwards", "no RECORD", "a wrong hash", "another name inside")
