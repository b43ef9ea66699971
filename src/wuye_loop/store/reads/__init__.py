"""Lists and counts over many grievances, each by an index and a page at a time, each through the visibility predicate."""
