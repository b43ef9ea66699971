"""评价考核 as values: what a scheme may say, its periods, and the arithmetic of items, ranks, lists and credit."""
