"""The reading side: everything is read from the copy of the reader's audience."""
