"""A file's rows become records, or one error that names what is wrong."""
