"""How input is declared and refused: errors, sections of params.yaml, JSON records."""
