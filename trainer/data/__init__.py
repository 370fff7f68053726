"""Data sets: a family a file, with its catalogue entries `DATASETS`. No torch before one is prepared."""
