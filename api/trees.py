"""Imports xgboost without scikit-learn, which it takes along where that is installed: 1.2 of 1.6 seconds, for nothing."""

from __future__ import annotations

import sys


def import_xgboost() -> None:
    """Make `import xgboost` cheap. scikit-learn, which a random forest needs, can still be imported afterwards."""
    if "xgboost" in sys.modules or "sklearn" in sys.modules:
        return
    sys.modules["sklearn"] = None  # type: ignore[assignment]
    try:
        import xgboost  # noqa: F401
    finally:
        del sys.modules["sklearn"]
