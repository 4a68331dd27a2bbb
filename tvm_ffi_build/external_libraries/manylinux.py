"""The ``manylinux`` policies (PEP 600): what every Linux with some glibc has, and which libraries that is enough for.

The table is auditwheel's, which its makers keep up to date, read from where it is installed. To ask its command takes
as long as a whole repair of a small wheel, and unpacks a large one again; tests compare what is decided here with its
answer.
"""

from __future__ import annotations

import importlib.metadata
import json
import re
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, cast

from ..errors import MissingToolError
from ..host.programs import python_command
from ..platforms.tags import PlatformTag

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from ..binaries import Image

__all__ = ["Policy", "read_policies"]

_TABLE = "auditwheel/policy/manylinux-policy.json"
_LOADERS = re.compile(r"ld-linux|ld64\.so\.[12]$")


class Policy(NamedTuple):
    """A policy for one architecture. Policies compare by the glibc that they ask for.

    Attributes:
        version: Of glibc: major and minor.
        aliases: The names that it had before PEP 600, without the architecture.
        versions: The versions of symbols that it promises, by family such as ``GLIBC``.
        libraries: The libraries that it promises.
        forbidden: By library, the symbols that are there and must not be used.

    """

    version: tuple[int, int]
    aliases: tuple[str, ...]
    versions: Mapping[str, frozenset[str]]
    libraries: frozenset[str]
    forbidden: Mapping[str, frozenset[str]]

    def has_version(self, version: str) -> bool:
        """Say whether the policy promises a version of symbols; of families that it does not know it says nothing.

        >>> policy = Policy((2, 17), (), {"GLIBC": frozenset({"2.14", "2.17"})}, frozenset(), {})
        >>> [policy.has_version(version) for version in ("GLIBC_2.17", "GLIBC_2.28", "OPENSSL_3.0.0")]
        [True, False, True]
        """
        family, _, number = version.partition("_")
        return family not in self.versions or number in self.versions[family]

    def has_library(self, name: str) -> bool:
        """Say whether the policy promises a library; the dynamic linker itself is always there."""
        return name in self.libraries or bool(_LOADERS.match(name))

    def forbids(self, image: Image) -> bool:
        """Say whether a library uses symbols that are private to others."""
        used = {symbol.name for symbol in image.imports}
        return any(not used.isdisjoint(self.forbidden.get(name, ())) for name in image.libraries)

    def has_symbols(self, images: Iterable[Image]) -> bool:
        """Say whether the policy promises all symbols that libraries need."""
        return all(
            not self.forbids(image) and all(self.has_version(version) for _, version in image.versions)
            for image in images
        )


@lru_cache
def read_policies(architecture: str) -> tuple[Policy, ...]:
    """Return the policies for an architecture, as wheel tags spell it; that of the oldest glibc first.

    Raises:
        MissingToolError: auditwheel is not installed, or its table is not what it was.

    """
    try:
        # None, as ``locate_file`` is typed, is nowhere.
        path = importlib.metadata.distribution("auditwheel").locate_file(_TABLE)
        table = json.loads(Path(str(path)).read_text(encoding="utf-8"))
        policies = [policy for row in table if (policy := _parse_policy(row, architecture)) is not None]
    except importlib.metadata.PackageNotFoundError:
        raise MissingToolError(
            "auditwheel is not installed", command=f"{python_command()} -m pip install 'tvm-ffi-build[wheel]'"
        ) from None
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        raise MissingToolError(
            "auditwheel keeps its policies in a way that tvm-ffi-build does not know",
            command=f"{python_command()} -m pip install -U tvm-ffi-build",
        ) from None
    return tuple(sorted(policy for policy in policies if policy.versions))


def _parse_policy(row: dict[str, dict[str, dict[str, list[str]]]], architecture: str) -> Policy | None:
    """Return the policy of a row, or None for the row of ``linux``, which has no version."""
    tag = PlatformTag.parse("_".join((cast("str", row["name"]), architecture)))
    if tag is None or tag.version is None or tag.alias:
        return None
    return Policy(
        tag.version,
        tuple(row["aliases"]),
        {family: frozenset(numbers) for family, numbers in row["symbol_versions"].get(architecture, {}).items()},
        frozenset(row["lib_whitelist"]),
        {library: frozenset(symbols) for library, symbols in row["blacklist"].items()},
    )
