"""What is kept for good and what is destroyed for good: anchors, old ledgers taken over, erasures, keys wrapped anew."""
