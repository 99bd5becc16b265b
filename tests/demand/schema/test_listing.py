"""Messages name some, and say how many more there are."""

from __future__ import annotations

import pytest

from demand.schema.listing import SHOWN, list_some


@pytest.mark.parametrize(("names", "options", "text"), [
    ([], {}, ""),
    (["a"], {}, "a"),
    (list("abcde"), {}, "a, b, c, d, e"),
    (list("abcdef"), {}, "a, b, c, d, e and 1 more"),
    (list("abc"), {"shown": 2, "separator": "; "}, "a; b; and 1 more"),
    (list("abcde"), {"total": 1234 + SHOWN, "separator": "; "}, "a; b; c; d; e; and 1,234 more"),
])
def test_some_are_named_and_the_rest_is_counted(names: list[str], options: dict, text: str):
    assert list_some(names, **options) == text
