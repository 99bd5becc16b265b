"""The rules that champions live by: records, who serves, promotion, history."""
