"""What stock each service level costs: make replay-orders."""
