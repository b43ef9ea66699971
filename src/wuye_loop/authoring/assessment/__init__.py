"""Schemes of assessment on paper: what proves and draws them, compares two versions, tries them on given figures."""
