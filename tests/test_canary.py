"""The oracle of the canary tests finds what it is there to find."""

from __future__ import annotations

import base64
import html
import json
import subprocess
import urllib.parse
from pathlib import Path

import pytest
from canary import CANARIES, PARTS, traces, traces_in


@pytest.mark.parametrize("canary", CANARIES.values(), ids=CANARIES)
def test_a_canary_is_found_in_every_encoding(canary: str) -> None:
    for text in (canary, repr(canary), json.dumps(canary), html.escape(canary), urllib.parse.quote(canary), canary.upper()):
        assert traces(f"before {text} after".encode()) == list(PARTS)
    for before in range(4):
        content = b"u" * before + canary.encode() + b":x"
        assert traces(base64.b64encode(content)) == traces(base64.urlsafe_b64encode(content)) == list(PARTS)
        assert traces(content.hex().encode()) == list(PARTS)
    assert traces(b"quokka 71, wombat8") == []


def test_a_canary_is_found_in_git_and_in_files(tmp_path: Path) -> None:
    (tmp_path / "a").write_text(PARTS[0])
    for command in (["init", "-q"], ["add", "a"]):
        subprocess.run(["git", *command], cwd=tmp_path, check=True)
    (tmp_path / "a").write_text("clean")
    (tmp_path / "b").write_text(PARTS[1])
    assert traces_in(tmp_path) == {"b": [PARTS[1]], f"objects of {tmp_path}/.git": [PARTS[0]]}
    assert list(traces_in(tmp_path, ("b",))) == [f"objects of {tmp_path}/.git"]
