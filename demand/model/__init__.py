"""The demand model: base forecast, trees, intervals, and their bytes."""
