"""Laid out as src is; what cuts across it is in stories, contracts, house, proofs beside what they prove, and bench."""

from pathlib import Path

ROOT = Path(__file__).parent.parent
