"""Whether the data look different: recent days beside the same season a year ago. It trains nothing by itself."""
