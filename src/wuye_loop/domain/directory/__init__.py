"""Who there is: areas, units, estates and people as values, and the document that a directory is loaded from.

No database: `store.directory` keeps what is described here.
"""
