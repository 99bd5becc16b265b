"""Records as the pipeline cleans them."""

from __future__ import annotations

from demand.cleaning.clean_panel import clean, visible_records
from demand.cleaning.prepare_params import PrepareParams
from demand.ingest.records import Records
from demand.panel.panel import Panel
from tests.support.examples import PARAMS

RULES = PrepareParams.model_validate(PARAMS["prepare"])


def cleaned(records: Records, end: int | None = None) -> Panel:
    visible, last = visible_records(records, len(records.dates) - 1 if end is None else end)
    return clean(visible, last, RULES)
