"""Pictures of a definition: Mermaid text, and a sheet of swim lanes with its annexes as SVG.

From the definition to moves (`moves.py`), to places on a grid, to lines between them, to ink. Nothing here reads a
database: counts of what is open are handed in (`moves.Today`).
"""
