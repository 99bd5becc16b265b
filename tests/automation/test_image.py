"""The files of the image: what Docker would send, and what a Space gets."""

from __future__ import annotations

import yaml

from automation.support import image
from demand.champion.champion_record import Champion
from tests.support.examples import ROOT


def test_docker_ignores_by_the_last_rule_that_matches() -> None:
    """Cases of the documentation of .dockerignore."""
    rules = ("# comment", "", "*/temp*", "*/*/temp*", "temp?", "**/*.go", "*.md", "!README*.md", "README-secret.md", "/top/",
             "!top/a/b")
    ignore = image.Ignore("\n".join(rules))
    ignored = ["some/temporary.txt", "some/temp/file", "some/below/temp", "tempa", "main.go", "a/b/c.go", "x.md",
               "README-secret.md", "top/file"]
    let_in = ["temp", "some/other", "a/b/c/temp", "tempab", "README.md", "README-a.md", "a/x.md", "top/a/b/c", "go"]
    assert [path for path in ignored if ignore.lets_in(path)] == []
    assert [path for path in let_in if not ignore.lets_in(path)] == []
    assert ignore.may_hold("top/a")
    classes = image.Ignore("[ab].txt")
    assert [classes.lets_in(path) for path in ("a.txt", "c.txt", "x/a.txt")] == [False, True, True]


def test_directories_that_cannot_hold_anything_are_not_walked_through() -> None:
    ignore = image.Ignore((ROOT / ".dockerignore").read_text())
    assert not any(map(ignore.may_hold, (".venv", ".git", ".dvc", "tests")))
    assert all(map(ignore.may_hold, ("api", "api/page", "data", "data/processed", "models")))
    assert not ignore.lets_in("data/processed/train_window.parquet")


def test_only_the_champion_of_all_models_is_part() -> None:
    champion = Champion.model_construct(model="models/versions/b/model.pkl")
    found = ["models/versions/a/model.pkl", "models/versions/b/model.pkl", "models/versions/b/.gitignore", "models/model.pkl",
             "models/champion.json", "metrics/.gitignore", "api/app.py"]
    assert image.needed(found, champion) == ["api/app.py", "models/champion.json", "models/versions/b/model.pkl"]


def test_the_space_knows_its_port() -> None:
    front = yaml.safe_load((ROOT / "automation/space/README.md").read_text().split("---\n")[1])
    assert front["sdk"] == "docker"
    assert f"PORT={front['app_port']}" in (ROOT / "Dockerfile").read_text().split()
