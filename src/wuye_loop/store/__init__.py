"""The database and nothing but: SQL stands here and nowhere else, and one module commits.

Tables (`schema`), one grievance under its lock and its one writer (`grievance`), lists over many (`reads`), and what
changes seldom: directory, calendar, definitions, keys. Who may see what is one predicate, `visibility`.
"""
