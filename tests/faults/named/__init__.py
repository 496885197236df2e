"""The faults of the matrix, F1 to F44, that no other room of the tests proves."""
