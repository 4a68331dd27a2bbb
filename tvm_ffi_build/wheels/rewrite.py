"""Writes a wheel anew with other tags or files; what does not change is copied as it lies in the archive."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from ..errors import RefusedError
from .record import SIGNATURES, Row, read_rows, row_of, write_rows
from .writer import ArchiveWriter

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from .wheel import Wheel

__all__ = ["name_with_platforms", "refuse_signatures", "rewrite", "write_stored"]


def name_with_platforms(wheel: Path, platforms: Iterable[str]) -> str:
    """Return the file name of a wheel for other platforms.

    Platform tags that are joined stand in sorted order (PEP 425).
    """
    return f"{wheel.stem.rpartition('-')[0]}-{'.'.join(sorted(platforms))}.whl"


def refuse_signatures(wheel: Wheel) -> None:
    """Check that a wheel that is to be changed is not signed: signatures are made from RECORD (PEP 427).

    Raises:
        RefusedError: It is.

    """
    held = [name for name in SIGNATURES if f"{wheel.dist_info}{name}" in wheel.archive.members]
    if held:
        raise RefusedError(
            f"{wheel.path.name} is signed ({' and '.join(held)}), and a changed wheel would not match its signature",
            "repair it first and sign the result, or build it again without a signature",
        )


def rewrite(
    wheel: Wheel, folder: Path, platforms: Iterable[str] | None = None, changed: Mapping[str, bytes] | None = None
) -> Path:
    """Write a wheel into a folder; the same wheel and changes give the same bytes.

    Args:
        wheel: The wheel, verified.
        folder: Where to; not where the wheel is, if it keeps its name.
        platforms: The platform tags to give it, or None to leave them.
        changed: New contents of files, by name. Files that were not there come with the time of ``WHEEL``.

    Returns:
        The path of the new wheel.

    Raises:
        RefusedError: There is something to change, and the wheel is signed.

    """
    platforms = wheel.platforms if platforms is None else tuple(platforms)
    contents = dict(changed or {})
    if sorted(platforms) != sorted(wheel.platforms):
        tags = tuple(f"{kept}-{platform}" for kept in _list_python_tags(wheel) for platform in sorted(platforms))
        contents[f"{wheel.dist_info}WHEEL"] = wheel.headers("WHEEL").with_all("Tag", tags).encode()
    record = f"{wheel.dist_info}RECORD"
    if contents:
        refuse_signatures(wheel)
        contents[record] = _render_record(wheel, contents)
    members = wheel.archive.members
    time = members[f"{wheel.dist_info}WHEEL"].date_time
    path = folder / name_with_platforms(wheel.path, platforms)
    with path.open("wb") as file:
        archive = ArchiveWriter(file)
        for name, member in members.items():
            if name not in contents:
                archive.copy(member, wheel.archive.raw_chunks(name))
            elif name != record:
                archive.add(name, contents[name], member.date_time, member)
        for name in sorted(contents.keys() - members.keys()):
            archive.add(name, contents[name], time)
        if contents:
            # Last, as PEP 427 recommends, so that it can be found and changed with little reading.
            archive.add(record, contents[record], members[record].date_time, members[record])
        archive.finish()
    return path


def write_stored(wheel: Wheel, unpacked: Mapping[str, Path], folder: Path) -> Path:
    """Write the same wheel into a folder with some files not compressed, for tools that read it again and again.

    Args:
        wheel: The wheel, verified.
        unpacked: The files, as :meth:`~tvm_ffi_build.wheels.wheel.Wheel.verify` has unpacked them.
        folder: Where to.

    """
    path = folder / wheel.path.name
    with path.open("wb") as file:
        archive = ArchiveWriter(file)
        for name, member in wheel.archive.members.items():
            if name in unpacked:
                with unpacked[name].open("rb") as contents:
                    archive.copy(member, iter(partial(contents.read, 1 << 20), b""), stored=True)
            else:
                archive.copy(member, wheel.archive.raw_chunks(name))
        archive.finish()
    return path


def _list_python_tags(wheel: Wheel) -> list[str]:
    """Return what the wheel's tags say of Python and its ABI, each once."""
    python, abi, _ = wheel.tag.split("-")
    return sorted(f"{one}-{other}" for one in python.split(".") for other in abi.split("."))


def _render_record(wheel: Wheel, contents: Mapping[str, bytes]) -> bytes:
    record = f"{wheel.dist_info}RECORD"
    rows: list[Row] = []
    for name, digest, size in read_rows(wheel.read(record).decode("utf-8")):
        if name in contents and name != record:
            rows.append(row_of(name, contents[name]))
        else:
            rows.append(Row(name, digest, size))
    known = {row.name for row in rows}
    rows[-1:-1] = [row_of(name, contents[name]) for name in sorted(contents) if name not in known]
    return write_rows(rows)
