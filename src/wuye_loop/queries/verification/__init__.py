"""Is the truth still the truth? Every ledger and the register replayed, and compared with the tables and the anchors."""
