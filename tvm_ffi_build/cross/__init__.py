"""Wheels for every platform from one machine: zig compiles, and the runtime comes from the platform's own wheel.

A ``py3-none`` wheel needs no Python of its platform, so nothing of another machine is needed but what is linked to.
What is made here (``targets``, ``compiler``, ``runtimes``) says how a build has to be started; that a build
is one is the pipeline's business.
"""

from __future__ import annotations

from .targets import Target, parse_target

__all__ = ["Target", "parse_target"]
