"""What GitHub Actions reads: outputs for later steps, the summary of a run, annotations. Elsewhere it is printed."""

from __future__ import annotations

import os
import uuid
from pathlib import Path

from workspace.secrets.redaction import redact


def outputs(**values: str | bool) -> None:
    """Name values for later steps and jobs (GITHUB_OUTPUT); true and false in Actions' spelling."""
    texts = {name: str(value).lower() if isinstance(value, bool) else redact(value) for name, value in values.items()}
    for name, text in texts.items():
        print(f"{name}: {text}")
    path = os.environ.get("GITHUB_OUTPUT")
    if path:
        end = uuid.uuid4().hex  # a value may hold line breaks
        with Path(path).open("a", encoding="utf-8") as file:
            file.writelines(f"{name}<<{end}\n{text}\n{end}\n" for name, text in texts.items())


def summary(markdown: str) -> None:
    """Add to the page that GitHub shows of the run (GITHUB_STEP_SUMMARY)."""
    path, markdown = os.environ.get("GITHUB_STEP_SUMMARY"), redact(markdown)
    if path:
        with Path(path).open("a", encoding="utf-8") as file:
            file.write(markdown.rstrip("\n") + "\n\n")
    else:
        print(markdown)
