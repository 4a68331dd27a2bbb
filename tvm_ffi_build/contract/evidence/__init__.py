"""What libraries and Python files show: which symbols and names they use, and what they were built against."""

from __future__ import annotations

from .build_record import BuiltLibrary, Compiler, Record, read_record, recorded_runtime

__all__ = ["BuiltLibrary", "Compiler", "Record", "read_record", "recorded_runtime"]
