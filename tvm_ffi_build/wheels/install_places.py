"""Where installers put the files of a wheel (the binary distribution format, ``{name}-{version}.data``)."""

from __future__ import annotations

import posixpath
import re

__all__ = ["PACKAGES", "place_of", "resolve_place"]

# In virtual environments and most other places of Linux and macOS: sysconfig's scheme "posix_prefix".
PACKAGES = "lib/python3/site-packages"
_OF_ONE_PYTHON = re.compile(r"lib(64)?/python3\.\d+t?/site-packages(?=/|$)")
_DATA = re.compile(r"[^/]+\.data/(\w+)/(.*)")
_SCHEMES = {"data": "", "headers": "include/python3/", "scripts": "bin/"}


def place_of(name: str) -> str:
    """Return where a file of a wheel will be, below the prefix of the environment.

    >>> place_of("demo/libdemo.so"), place_of("demo-1.0.data/platlib/demo/libdemo.so")
    ('lib/python3/site-packages/demo/libdemo.so', 'lib/python3/site-packages/demo/libdemo.so')
    >>> place_of("demo-1.0.data/data/lib/libhelper.so")
    'lib/libhelper.so'
    """
    match = _DATA.fullmatch(name)
    if match is None:
        return f"{PACKAGES}/{name}"
    return f"{_SCHEMES.get(match[1], f'{PACKAGES}/')}{match[2]}"


def resolve_place(directory: str, path: str) -> str:
    """Return where a relative path leads from a directory; both are places below the prefix.

    >>> resolve_place("lib/python3/site-packages/demo", "../tvm_ffi/lib")
    'lib/python3/site-packages/tvm_ffi/lib'
    >>> resolve_place("bin", "../lib/python3.12/site-packages/tvm_ffi/lib")
    'lib/python3/site-packages/tvm_ffi/lib'
    """
    return _OF_ONE_PYTHON.sub(PACKAGES, posixpath.normpath(posixpath.join(directory, path.lstrip("/"))), count=1)
