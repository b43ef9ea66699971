"""What people read of 评价考核: tables, why a score is what it is, the cases behind a figure, credit, and what drifted."""
