"""Public holidays and the file of own events: what is read, what is refused, and how it reaches the panel."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from demand.cleaning.cleaning_report import decisions, prepare
from demand.ingest.event_file import read_events
from demand.ingest.public_holidays import AFTER, BEFORE, places_of, public_holidays
from demand.panel.panel import CLOSED, FILLED, Panel
from demand.panel.store_events import Event, StoreEvents, event_days, joined
from demand.schema.errors import UserError
from tests.stages.test_prepare import lines, params, text
from workspace.run.source_files import read_side_table

EASTER = {2022: date(2022, 4, 17), 2023: date(2023, 4, 9), 2024: date(2024, 3, 31)}  # from an almanac
HEAD = "name,first_day,last_day,store\n"


def events(*rows: str, head: str = HEAD, stores: tuple[int | str, ...] = (1, 2)) -> dict[int | str, list[Event]]:
    return read_events(pa.py_buffer((head + "\n".join(rows)).encode()), "events.csv", stores)


def days(found: tuple[Event, ...], name: str) -> list[date]:
    return [event.first for event in found if event.name == name]


def prepared(rows: list[str], own: str = "", **data: object) -> tuple[Panel, dict[str, object]]:
    settings = params(**data)
    return prepare(pa.py_buffer(text(*rows).encode()), settings.data, settings.prepare, 1,
                   {"events": pa.py_buffer((HEAD + own).encode())})


def test_moving_feasts_are_the_almanacs():
    found = public_holidays("DE-BY", date(2022, 1, 1), date(2024, 12, 31))
    for sunday in EASTER.values():
        assert date.fromordinal(sunday.toordinal() - 2) in days(found, "Good Friday")
        assert date.fromordinal(sunday.toordinal() + 60) in days(found, "Corpus Christi")
    assert "Corpus Christi" not in {event.name for event in public_holidays("DE", date(2022, 1, 1), date(2024, 12, 31))}


def test_names_do_not_depend_on_the_machines_language(monkeypatch: pytest.MonkeyPatch):
    expected = public_holidays("DE", date(2024, 1, 1), date(2024, 12, 31))
    for name in ("LANGUAGE", "LC_ALL", "LANG"):
        monkeypatch.setenv(name, "de_DE.UTF-8")
    assert public_holidays("DE", date(2024, 1, 1), date(2024, 12, 31)) == expected
    assert days(expected, "Christmas Day") == [date(2024, 12, 25)]


def test_several_days_of_a_feast_are_one_event_and_two_feasts_on_a_day_are_two():
    found = public_holidays("TR", date(2023, 1, 1), date(2023, 12, 31))
    assert Event("Eid al-Fitr", date(2023, 4, 21), date(2023, 4, 23), BEFORE, AFTER) in found
    assert days(found, "National Sovereignty and Children's Day") == [date(2023, 4, 23)]
    assert not [event for event in public_holidays("EG", date(2030, 1, 1), date(2031, 12, 31)) if "estimated" in event.name]


@pytest.mark.parametrize(("place", "message"), [
    ("Germny", r"'Germny': there is no country 'Germny': is it .*DE.* Write its two letters"),
    ("GER", r"there is no country 'GER'"), ("de", r"there is no country 'de': is it DE"),
    ("DE-BX", r"DE has no subdivision 'BX': is it .*BY.*\? It has .*BY"), ("MC-XY", r"MC has no subdivisions: write MC"),
])
def test_an_unknown_place_is_answered_with_those_that_are_near(place: str, message: str):
    with pytest.raises(UserError, match=rf"params\.yaml: data\.calendar: .*{message}"):
        public_holidays(place, date(2024, 1, 1), date(2024, 12, 31))


def test_each_store_has_its_place():
    assert places_of({"default": "DE-BY", "store 7": "AT"}, [6, 7]) == {6: "DE-BY", 7: "AT"}
    assert places_of({"7": "AT"}, [6, 7]) == {7: "AT"}
    assert places_of({"store 7": "AT"}, ["7", "store 7"]) == {"store 7": "AT"}
    with pytest.raises(UserError, match=r"data\.calendar names store 'Nrth', .*: is it north\?"):
        places_of({"Nrth": "AT"}, ["north", "south"])


def test_norway_is_a_country_although_yaml_calls_it_false():
    assert params(calendar={"default": False, 7: "AT"}).data.calendar == {"default": "NO", "7": "AT"}
    with pytest.raises(UserError, match=r"data\.calendar = 'DE': .*write the place of each store, .*default: DE-BY"):
        params(calendar="DE")


def test_own_events_are_of_one_store_or_of_all_and_have_their_own_windows():
    found = events("Fair,2024-05-01,2024-05-03,2,1,0", "Black Friday,2024-11-29,,,,",
                   head="name,first_day,last_day,store,days_before,days_after\n")
    assert found[2][0] == Event("Fair", date(2024, 5, 1), date(2024, 5, 3), 1, 0)
    assert found[1] == [Event("Black Friday", date(2024, 11, 29), date(2024, 11, 29), BEFORE, AFTER)] == found[2][1:]
    assert not any(events().values())
    assert len(events("Messe Köln;2024-05-01;2024-05-03;", head=HEAD.replace(",", ";"))[1]) == 1


@pytest.mark.parametrize(("row", "message"), [
    (",2024-05-01,,", "line 4: no name"), ("Fair,2024-13-01,,", "line 4: first_day '2024-13-01' is no day: write YYYY-MM-DD"),
    ("Fair,01.05.2024,,", "line 4: first_day '01.05.2024' is no day"), ("Fair,,,", "line 4: first_day '' is no day"),
    ("Fair,2024-05-03,2024-05-01,", "line 4: last_day 2024-05-01 is before first_day 2024-05-03: swap them"),
    ("Fair,2020-05-03,2024-05-01,", "line 4: .* is more than 366 days"), ("Fair,1024-05-03,,", "line 4: .*between 1970 and 2099"),
    ("Fair,2024-05-03,,3", "line 4: the sales have no store '3'"),
    ("Easter,2024-04-02,2024-04-05,", "line 4: 'Easter' of store 1 overlaps an earlier row"),
])
def test_rows_that_cannot_be_used_are_named_by_their_line(row: str, message: str):
    with pytest.raises(UserError, match=rf"events\.csv: 1 rows cannot be used\n  {message}"):
        events("Easter,2024-03-31,2024-04-03,", "", row)


def test_all_wrong_rows_are_counted_and_missing_columns_named():
    with pytest.raises(UserError, match=r"7 rows cannot be used(\n  line \d: no name.*){5}\n  and 2 more"):
        events(*[",2024-05-01,,"] * 7)
    with pytest.raises(UserError, match=r"has no column 'first_day': data\.events needs name, first_day, last_day.*'day'"):
        events(head="name,day\n")
    with pytest.raises(UserError, match=r"days_before '-1' is no number of days"):
        events("Fair,2024-05-01,,,-1", head="name,first_day,last_day,store,days_before\n")


def test_labels_of_days_by_a_plain_loop():
    fair = Event("fair", date(2024, 1, 5), date(2024, 1, 7), 2, 1)
    marked = event_days((fair, Event("eve", date(2024, 1, 4), date(2024, 1, 4), 0, 0)), date(2024, 1, 1), 31)
    found = {(name, place, int(day)) for name, place, day in zip(marked.names, marked.places, marked.day, strict=True)}
    assert found == {("fair", "-2", 2), ("fair", "-1", 3), ("fair", "0", 4), ("fair", "0", 5), ("fair", "0", 6),
                     ("fair", "day 1", 4), ("fair", "day 2", 5), ("fair", "day 3", 6), ("fair", "+1", 7), ("eve", "0", 3)}


def test_text_and_back():
    one, two = (Event("ä", date(2024, 1, day), date(2024, 1, day), 1, 1) for day in (1, 5))
    assert joined([two, one]) == (one, two)
    all_of_them = StoreEvents({"b": (one, two), "a": (one, two), "c": (two,)})
    assert StoreEvents.from_json(all_of_them.to_json()).by_store == all_of_them.by_store
    assert all_of_them.to_json() == StoreEvents({"a": (one, two), "c": (two,), "b": (one, two)}).to_json()
    assert len(json.loads(all_of_them.to_json())) == 2


def test_prepare_says_what_it_found():
    panel, metrics = prepared(lines(400, first="2023-01-01"), "Fair,2024-05-01,2024-05-03,1\n", calendar={"default": "DE-BY"})
    assert decisions(metrics)[-1] == "public holidays of DE-BY in 1 store, 1 own event (data.calendar, data.events)"
    assert panel.events
    names = {event.name for event in panel.events.by_store[1]}
    assert {"Fair", "Epiphany", "Christmas Day"} <= names
    plain, without = prepared(lines(400, first="2023-01-01"))
    assert plain.events is None
    assert "calendar" not in without
    np.testing.assert_array_equal(plain.sales, panel.sales)


def chain(without: str) -> list[str]:
    """Two stores of three items; store 2 has no rows, or zeros, on Christmas; store 1 sells."""
    rows = [row for store in ("1", "2") for item in ("1", "2", "3") for row in lines(400, store, item, first="2023-01-01")]
    gone = [row.startswith("2023-12-25,2,") for row in rows]
    if without == "rows":
        return [row for row, away in zip(rows, gone, strict=True) if not away]
    return [f"{row.rsplit(',', 1)[0]},0" if away else row for row, away in zip(rows, gone, strict=True)]


@pytest.mark.parametrize("without", ["rows", "sales"])
def test_a_store_without_sales_on_a_holiday_was_closed(without: str):
    panel, metrics = prepared(chain(without), calendar={"default": "DE"}, missing_days="unknown")
    at = panel.column(np.datetime64("2023-12-25"))
    assert (panel.status[panel.store == 2, at] == CLOSED).all()
    assert (panel.status[panel.store == 1, at] != CLOSED).all()
    assert metrics["store_days_closed_on_holidays"] == 1
    unknown, _ = prepared(chain(without), missing_days="unknown")
    assert without == "sales" or (unknown.status[unknown.store == 2, at] == FILLED).all()


def test_slow_series_do_not_hide_that_their_store_was_closed():
    rng = np.random.default_rng(0)
    rows = [f"{row.rsplit(',', 1)[0]},{0 if row.startswith('2023-12-25') else rng.poisson(0.5)}"
            for item in range(40) for row in lines(400, "1", str(item), first="2023-01-01")]
    at = np.datetime64("2023-12-25")
    panel, _ = prepared(rows, calendar={"default": "DE"})
    assert (panel.status[:, panel.column(at)] == CLOSED).all()
    assert (prepared(rows)[0].status[:, panel.column(at)] != CLOSED).any()


def test_a_table_that_is_missing_is_named_but_for_the_one_that_stands_for_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    for key in ("events", "items", "stores"):
        assert read_side_table(key, f"data/no_{key}.csv") is None
        with pytest.raises(UserError, match=rf"data\.{key}: data/x\.csv cannot be read .* or to data/no_{key}"):
            read_side_table(key, "data/x.csv")
