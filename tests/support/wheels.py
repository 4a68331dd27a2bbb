"""Wheels made without the code under test, and published wheels."""

from __future__ import annotations

import base64
import hashlib

# Wheels of others from the index: the requirement, the platform that it is asked for, and the platform tag that fits.
REAL = {
    "jax-linux": ("jax-tvm-ffi==0.1.3", "manylinux_2_28_x86_64", "manylinux_2_24_x86_64"),
    "jax-macos": ("jax-tvm-ffi==0.1.3", "macosx_11_0_arm64", "macosx_11_0_arm64"),
    "xgrammar-linux": ("xgrammar==0.2.8", "manylinux_2_28_x86_64", "manylinux_2_27_x86_64"),
    "xgrammar-macos": ("xgrammar==0.2.8", "macosx_11_0_arm64", "macosx_11_0_arm64"),
    "xgrammar-windows": ("xgrammar==0.2.8", "win_amd64", "win_amd64"),
    "orcjit-linux": ("apache-tvm-ffi-orcjit==0.1.3", "manylinux_2_28_x86_64", "manylinux_2_27_x86_64"),
    "orcjit-macos": ("apache-tvm-ffi-orcjit==0.1.3", "macosx_14_0_arm64", "macosx_14_0_arm64"),
    "orcjit-windows": ("apache-tvm-ffi-orcjit==0.1.3", "win_amd64", "win_amd64"),
}


def record_row(name: str, content: bytes) -> str:
    """Return a row of a wheel's RECORD, made without the code under test."""
    digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
    return f"{name},sha256={digest},{len(content)}\n"
