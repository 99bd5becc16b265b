"""How messages list what they are about: some by name, then how many more there are."""

from __future__ import annotations

from collections.abc import Sequence

SHOWN = 5  # names in a message


def list_some(names: Sequence[str], shown: int = SHOWN, total: int | None = None, separator: str = ", ") -> str:
    """The first names: "a, b and 3 more", or, for names that hold commas, "a; b; and 3 more".

    Args:
        shown: how many are named.
        total: how many there are, where `names` are not all of them.
    """
    rest = (len(names) if total is None else total) - shown
    end = f"{'; ' if separator == '; ' else ' '}and {rest:,} more" if rest > 0 else ""
    return separator.join(names[:shown]) + end
