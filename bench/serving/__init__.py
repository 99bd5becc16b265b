"""How fast the API answers, and what hostile requests cost it."""
