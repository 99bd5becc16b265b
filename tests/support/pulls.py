"""GitHub as far as a protected branch needs it: a hook that declines pushes to main as GitHub does, and its pull requests.

The answers follow docs.github.com/en/rest/pulls: a second pull request for the same branches, and one whose head is not there,
get 422; a token whose workflow may not open any gets 403.
"""

from __future__ import annotations

import subprocess
import urllib.parse
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.support.json_server import JsonHandler

REPOSITORY = "someone/demand"
HOOK = """#!/bin/sh
while read -r old new ref; do
  [ "$ref" != refs/heads/main ] || {
    echo 'error: GH006: Protected branch update failed for refs/heads/main.' >&2
    echo 'error: Changes must be made through a pull request.' >&2
    exit 1
  }
done
"""


def protect(origin: Path, protected: bool = True) -> None:
    hook = origin / "hooks/pre-receive"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text(HOOK if protected else "#!/bin/sh\n")
    hook.chmod(0o755)


class Pulls(JsonHandler):
    """The pull requests of REPOSITORY; the token `right` may open them, `reader` may not."""

    origin: Path
    pulls: list[dict[str, Any]]

    @classmethod
    @contextmanager
    def serving(cls, origin: Path) -> Iterator[tuple[dict[str, str], list[dict[str, Any]]]]:
        """Environment variables that lead there, and the pull requests as they change."""
        pulls: list[dict[str, Any]] = []
        with cls.listening(origin=origin, pulls=pulls) as address:
            yield {"GITHUB_API_URL": address, "GITHUB_REPOSITORY": REPOSITORY}, pulls

    def do_GET(self) -> None:
        place, _, query = self.path.partition("?")
        wanted = dict(urllib.parse.parse_qsl(query))
        owner, _, head = wanted["head"].partition(":")
        if (place, owner) != (f"/repos/{REPOSITORY}/pulls", REPOSITORY.split("/")[0]):
            return self.answer(404, {"message": "Not Found"})
        wanted["head"] = head
        return self.answer(200, [pull for pull in self.pulls if wanted.items() <= pull.items()])

    def do_POST(self) -> None:
        body = self.body()
        if not self.allowed():
            return self.answer(403, {"message": "GitHub Actions is not permitted to create or approve pull requests."})
        known = [pull for pull in self.pulls if pull["state"] == "open" and pull["head"] == body["head"]]
        if known or not self.exists(body["head"]) or not self.exists(body["base"]):
            return self.answer(422, {"message": "Validation Failed"})
        number = len(self.pulls) + 1
        self.pulls.append(body | {"number": number, "state": "open", "html_url": f"https://github.com/{REPOSITORY}/pull/{number}"})
        return self.answer(201, self.pulls[-1])

    def do_PATCH(self) -> None:
        body, number = self.body(), int(self.path.removeprefix(f"/repos/{REPOSITORY}/pulls/"))
        if not self.allowed():
            return self.answer(403, {"message": "Resource not accessible by integration"})
        self.pulls[number - 1].update(body)
        return self.answer(200, self.pulls[number - 1])

    def allowed(self) -> bool:
        return self.headers["Authorization"] == "Bearer right"

    def exists(self, branch: str) -> bool:
        return subprocess.run(["git", "rev-parse", "--verify", f"refs/heads/{branch}"], cwd=self.origin, capture_output=True,
                              check=False).returncode == 0
