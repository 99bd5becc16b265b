"""The demand model: a base forecast and the trees that correct it, fitted on a window, ready for any origin it is shown."""

from __future__ import annotations

import io

import joblib
import numpy as np

from demand.model.demand_model import DemandModel


def ids_to_array(values: np.ndarray) -> np.ndarray:
    """Ids in a form that an archive of arrays takes."""
    return values if values.dtype.kind in "iu" else values.astype("U")


def ids_from_array(values: np.ndarray) -> np.ndarray:
    """The inverse of ids."""
    return values if values.dtype.kind in "iu" else values.astype(object)


def pickled(model: DemandModel) -> bytes:
    """The model as joblib writes it."""
    stream = io.BytesIO()
    joblib.dump(model, stream)
    return stream.getvalue()
