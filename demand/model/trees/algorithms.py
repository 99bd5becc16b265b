"""The kinds of trees, by the name that params.yaml calls them."""

from __future__ import annotations

from typing import Any

from demand.model.trees.boosted_trees import Boosted
from demand.model.trees.random_forest import Forest

ALGORITHMS: dict[str, Any] = {"xgboost": Boosted, "random_forest": Forest}
