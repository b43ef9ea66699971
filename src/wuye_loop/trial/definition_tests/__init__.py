"""Definition tests: what a clerk says must happen, played in the sandbox and compared.

Reads `*.test.yaml` (`load.py`), runs its steps (`run.py`), and says why one failed (`why.py`).
"""
