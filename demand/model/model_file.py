"""A model as bytes, and as the file models/model.pkl: arrays and XGBoost's own format, no code, no clock, no thread count.

The file is a pickle that holds one call with these bytes, so that joblib.load gives the model. The project itself takes the bytes
out without running anything that a pickle names.
"""

from __future__ import annotations

import io
import json
import pickle
from collections.abc import Callable
from typing import Any

import numpy as np

from demand.model.base.calendar_effect import CalendarEffect
from demand.model.base.factors import Factors
from demand.model.intervals import Dispersion
from demand.panel.attributes import Attributes
from demand.schema.errors import UserError

FORMAT = 2  # of the bytes; those of release 0.1, which did not number it, read as 1
CALLS = {("demand.model.demand_model", "model_from_bytes")}  # what a model file may call
OLD_CLASS = ("stages.forecasting.model", "DemandModel")  # release 0.1 called its method from_bytes


def pack(facts: dict[str, Any], factors: Factors, trees: bytes, spread: Dispersion, direct: bytes) -> bytes:
    """The parts of a model in one archive of arrays: the same bytes on every run and with any number of threads.

    Args:
        trees, direct: the bytes of the two members' trees; none for a model without a direct member.
    """
    dispersion = {"counting": spread.counting, "relative": spread.relative, "common": spread.common, "whole": spread.whole}
    head = json.dumps({**facts, "format": FORMAT, "spread": dispersion, "noise": factors.noise}, sort_keys=True).encode()
    stream = io.BytesIO()
    f = factors
    known: dict[str, Any] = f.calendar.to_arrays() if f.calendar else {}
    if f.attributes:
        known["attributes"] = np.frombuffer(f.attributes.to_json().encode(), "u1")
    np.savez(stream, head=np.frombuffer(head, "u1"), trees=np.frombuffer(trees, "u1"), store=ids_to_array(f.store),
             item=ids_to_array(f.item), scale=f.scale, weekday=f.weekday, month=f.month, effect=f.effect, usual=f.usual,
             reach=f.reach, exposure=f.exposure, dispersion=f.dispersion, quantiles=spread.quantiles,
             direct=np.frombuffer(direct, "u1"), **known)
    return stream.getvalue()


def unpack(content: bytes) -> tuple[dict[str, Any], Factors, bytes, Dispersion, bytes]:
    """The inverse of pack.

    Raises:
        UserError: the bytes are of a newer format than this release knows, or no model at all.
    """
    try:
        with np.load(io.BytesIO(content), allow_pickle=False) as archive:
            a = dict(archive)
        facts = json.loads(a["head"].tobytes())
    except (ValueError, KeyError, OSError) as error:
        raise UserError(f"this is no demand model ({error}): run dvc repro, or dvc pull") from None
    number = facts.pop("format", 1)
    if number > FORMAT:
        raise UserError(f"the model has format {number}, this release reads up to {FORMAT}: install the release that wrote it")
    spread = Dispersion(**facts.pop("spread"), quantiles=a["quantiles"])
    later = {name: a[name] for name in ("exposure", "dispersion") if name in a}
    factors = Factors(ids_from_array(a["store"]), ids_from_array(a["item"]), a["scale"], a["weekday"], a["month"], a["effect"],
                      a["usual"], a["reach"], facts.pop("noise"), **later, calendar=CalendarEffect.from_arrays(a),
                      attributes=Attributes.from_json(a["attributes"].tobytes()) if "attributes" in a else None)
    return facts, factors, a["trees"].tobytes(), spread, a["direct"].tobytes() if "direct" in a else b""


class BytesOnly(pickle.Unpickler):
    """Reads the bytes that a model file's single call is made with; any other name in it is refused."""

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) in CALLS:
            return same_bytes
        if (module, name) == OLD_CLASS:
            return OLD_CLASS
        if (module, name) == ("builtins", "getattr"):
            return old_method
        raise pickle.UnpicklingError(f"it calls {module}.{name}")


def same_bytes(content: object) -> bytes:
    """Stands for the call that makes a model of bytes."""
    if not isinstance(content, bytes):
        raise pickle.UnpicklingError(f"it holds a {type(content).__name__} in place of a model's bytes")
    return content


def old_method(owner: object, name: object) -> Callable[[object], bytes]:
    """Stands for getattr(DemandModel, "from_bytes") of older releases, and for no other attribute of anything."""
    if (owner, name) != (OLD_CLASS, "from_bytes"):
        raise pickle.UnpicklingError(f"it looks up {name}")
    return same_bytes


def bytes_in_file(content: bytes, file: str) -> bytes:
    """The model's bytes in a model file's content.

    Raises:
        UserError: it is damaged, or holds anything else.
    """
    try:
        return same_bytes(BytesOnly(io.BytesIO(content)).load())
    except Exception as error:  # a damaged pickle can raise anything
        raise UserError(f"{file} is no model file ({type(error).__name__}: {error}): run dvc repro, or dvc pull") from None


def ids_to_array(values: np.ndarray) -> np.ndarray:
    """Ids in a form that an archive of arrays takes."""
    return values if values.dtype.kind in "iu" else values.astype("U")


def ids_from_array(values: np.ndarray) -> np.ndarray:
    """The inverse of ids_to_array."""
    return values if values.dtype.kind in "iu" else values.astype(object)
