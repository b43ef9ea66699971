"""A definition made ready to run: one machine for each flow, and everything that steps look up, compiled once.

`Rules` is what decisions are handed. It holds no grievance and is shared by all of one version.
"""
