"""How sales are spread around their forecast: counts, and sums of them."""
