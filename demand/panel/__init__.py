"""What a series and a day are: the panel, its long form, the calendar, lag features."""
