"""What requirements*.txt install on which machine; whether that has wheels, `make lint-platforms` asks the package index."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from tests.support.examples import ROOT

PLATFORMS = {"Linux": ("linux", "x86_64"), "Linux on ARM": ("linux", "aarch64"), "macOS": ("darwin", "arm64")}
PYTHONS = ("3.11", "3.12", "3.13", "3.14")


def lines(name: str) -> Iterator[Requirement]:
    """The requirements of a file, without those of the files that it includes."""
    for line in (ROOT / name).read_text().splitlines():
        text = line.split("#")[0].strip()
        if text and not text.startswith("-r "):
            yield Requirement(text)


def installed(name: str, platform: str, python: str) -> dict[str, str]:
    """Package to specifier, as pip takes them there."""
    system, machine = PLATFORMS[platform]
    there = {"sys_platform": system, "platform_system": system.capitalize(), "platform_machine": machine, "os_name": "posix",
             "python_version": python, "python_full_version": f"{python}.0", "implementation_name": "cpython"}
    due = [one for one in lines(name) if one.marker is None or one.marker.evaluate(there)]
    return {canonicalize_name(one.name): str(one.specifier) for one in due}


@pytest.mark.parametrize("python", PYTHONS)
@pytest.mark.parametrize("platform", PLATFORMS)
@pytest.mark.parametrize("name", ["requirements-model.txt", "requirements-api.txt"])
def test_one_xgboost_everywhere(name: str, platform: str, python: str) -> None:
    """xgboost-cpu has wheels for Linux alone, xgboost brings 400 MB of GPU libraries there."""
    found = [package for package in installed(name, platform, python) if package.startswith("xgboost")]
    assert found == ["xgboost-cpu" if platform.startswith("Linux") else "xgboost"]


def test_both_names_of_xgboost_are_one_version() -> None:
    assert len({installed("requirements-model.txt", platform, "3.11")[name]
                for platform, name in (("Linux", "xgboost-cpu"), ("macOS", "xgboost"))}) == 1


@pytest.mark.parametrize("platform", PLATFORMS)
def test_the_image_has_the_versions_of_the_pipeline(platform: str) -> None:
    pipeline = installed("requirements.txt", platform, "3.11") | installed("requirements-model.txt", platform, "3.11")
    assert installed("requirements-api.txt", platform, "3.11").items() <= pipeline.items()


def test_every_requirement_is_one_version_and_the_constraints_agree() -> None:
    pinned = {canonicalize_name(one.name): str(one.specifier) for one in lines("constraints.txt")}
    for file in ROOT.glob("requirements*.txt"):
        for one in lines(file.name):
            version = str(one.specifier)
            assert version.startswith("=="), f"{file.name}: {one}"
            Version(version[2:])
            assert pinned.get(canonicalize_name(one.name), version) == version, f"{file.name}: {one}, constraints.txt: other"


HASHED = re.compile(r"(?m)^(\S+==\S+(?: ; [^\\\n]+)?) \\\n((?: +--hash=sha256:[0-9a-f]{64}(?: \\)?\n)+)")


@pytest.mark.parametrize("name", ["api", "sbom"])
def test_the_image_installs_nothing_but_files_whose_hashes_are_known(name: str) -> None:
    text = (ROOT / f"requirements-{name}.lock").read_text()
    locked = [Requirement(found[1]) for found in HASHED.finditer(text)]
    assert HASHED.sub("", text).count("\n") == 1  # the line that says what wrote it
    versions = {canonicalize_name(one.name): str(one.specifier) for one in locked}
    pinned = {canonicalize_name(one.name): str(one.specifier) for one in lines("constraints.txt")}
    for one in lines(f"requirements-{name}.txt"):
        assert versions[canonicalize_name(one.name)] == str(one.specifier), "run make hashes"
    assert {package: version for package, version in versions.items() if pinned.get(package, version) != version} == {}


def test_the_image_is_built_from_them_and_has_a_bill_of_materials() -> None:
    """That it builds, tests/stack shows; the words alone are looked at here."""
    dockerfile = (ROOT / "Dockerfile").read_text()
    installs = re.findall(r"-m pip install .*", dockerfile)
    assert len(installs) == 2
    assert all("--require-hashes -r requirements-" in install and install.count(" -r ") == 1 for install in installs)
    for copied in re.findall(r"(?m)^COPY (requirements.*) \./$", dockerfile)[0].split():
        assert f"!{copied}" in (ROOT / ".dockerignore").read_text().splitlines()
    assert re.search(r"cyclonedx-py environment /venv/bin/python .* -o /sbom\.cdx\.json", dockerfile)
    assert "COPY --from=packages /sbom.cdx.json /" in dockerfile
