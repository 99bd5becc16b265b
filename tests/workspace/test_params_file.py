"""params.yaml: every wrong key is named with its path, and what is allowed there."""

from __future__ import annotations

import copy
import runpy

import pytest

from demand.schema.errors import UserError
from demand.schema.sections import Section
from tests.support.examples import PARAMS, ROOT
from workspace.run.all_params import Params, load_all_params, parse_params


def test_the_repository_s_own_file_is_valid_and_frozen():
    params = parse_params(PARAMS)
    assert params.data.source == "data/demo/sales.csv"
    with pytest.raises(ValueError, match="frozen"):
        params.data.source = "other.csv"


def test_every_section_forbids_other_keys():
    for name, field in Params.model_fields.items():
        assert issubclass(field.annotation, Section), name
        content = copy.deepcopy(PARAMS)
        content[name]["surprise"] = 1
        with pytest.raises(UserError, match=rf"{name}\.surprise is unknown"):
            parse_params(content)


def test_the_page_of_parameters_is_current():
    script = runpy.run_path(str(ROOT / "docs/parameters.py"))
    assert (ROOT / script["PAGE"]).read_text(encoding="utf-8") == script["page"](PARAMS), "run make parameters"


@pytest.mark.parametrize(("path", "value", "message"), [
    ("data.source", "data/*.csv", "name the folder, and the pattern in data.files"),
    ("data.columns.store", "date", "'date' is named twice"),
    ("data.columns.store", [], "write null where there is none"),
    ("data.separator", ";;", "data.separator = ';;'"),
    ("data.date_format", "%Y-%m", "no format of whole days"),
    ("data.sorce", "x.csv", "data.sorce is unknown: did you mean source? (allowed: source, files, columns,"),
    ("demo.drift.knd", "level", "demo.drift.knd is unknown: did you mean kind? (allowed: kind, start, size, share)"),
    ("dta", {}, "dta is unknown: did you mean data? (allowed: demo, data,"),
    ("demo.stores", "ten", "demo.stores = 'ten': input should be a valid integer"),
    ("demo.drift.kind", "sideways", "demo.drift.kind = 'sideways': input should be 'none', 'level'"),
    ("demo.noise", float("nan"), "demo.noise = nan: input should be a finite number"),
    ("data.as_of", "soon", "data.as_of = 'soon': input should be a valid date"),
    ("data.known_future", "promo", "data.known_future = 'promo': input should be a valid tuple"),
    ("prepare", 3, "prepare = 3: input should be a valid dictionary"),
])
def test_wrong_keys_and_values_are_named(path, value, message):
    content = copy.deepcopy(PARAMS)
    place = content
    *sections, key = path.split(".")
    for section in sections:
        place = place[section]
    place[key] = value
    with pytest.raises(UserError) as error:
        parse_params(content)
    assert message in str(error.value)
    assert str(error.value).startswith("params.yaml: 1 wrong")


def test_missing_keys_are_named_all_at_once():
    content = copy.deepcopy(PARAMS)
    del content["data"]["as_of"], content["prepare"]
    with pytest.raises(UserError, match=r"2 wrong\n  data\.as_of is missing: .*\n  prepare is missing"):
        parse_params(content)


@pytest.mark.parametrize(("text", "message"), [
    ("data: [1", "not YAML"), ("", "found NoneType"), ("- 1", "found list"),
    (b"\xff\xfe\x00", "not YAML"), (None, "missing: run from"),
])
def test_a_file_that_is_not_params(tmp_path, text, message):
    path = tmp_path / "params.yaml"
    if text is not None:
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(UserError, match=message):
        load_all_params(path)
