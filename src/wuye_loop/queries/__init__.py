"""What people read: one file for each thing they ask, within their jurisdiction and audience.

Nothing here writes, and every question goes through the visibility predicate of the store. The loop's writes are beside it,
one floor down.
"""
