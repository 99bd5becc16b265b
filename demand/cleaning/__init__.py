"""Records become a panel; what is written for a day depends on no later day."""
