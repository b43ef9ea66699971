"""Schemes of assessment on paper: what proves them, compares two versions, tries them on given figures."""
