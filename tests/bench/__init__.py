"""Measures what a site can do, each figure beside the limit of the same machine in the same run: `make bench`."""
