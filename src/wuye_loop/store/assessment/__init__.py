"""评价考核 in the database: published schemes, measures grouped where the rows lie, frozen figures, voices, credit."""
