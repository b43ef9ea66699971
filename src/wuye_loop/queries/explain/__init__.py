"""Why a grievance is where it is: its state, its unit, each deadline and what moved it, told from the ledger.

Sentences are made here and nowhere else; every figure is counted again and compared with what is stored.
"""
