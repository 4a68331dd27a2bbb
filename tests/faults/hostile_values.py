"""Values that no option expects; none is a directory of others, which a command would read to its end."""

from __future__ import annotations

__all__ = ["HOSTILE_VALUES", "TELLING_VALUES"]

# These found something.
TELLING_VALUES = ("--", "9" * 5000)
HOSTILE_VALUES = (
    *("", " ", "-", "--", "'", '"', "\\", ".", "..", "../../../evil", "/dev/null", "a\nb", "\x1b[2J", "\udcff"),
    *("x{__import__('os').system('touch evil')}", "${HOME}", "%s", "$(touch evil)", "`touch evil`", ";touch evil"),
    *("nan", "inf", "-1", "0", "1e999", "9" * 5000, "x" * 5000, "[" * 5000, "a=b", "=", ",,", "\u202e", "\u0661"),
)
