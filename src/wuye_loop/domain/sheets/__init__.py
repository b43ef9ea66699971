"""Sheets that people send, read as they are: CSV, TSV and XLSX from a stream of bytes; every cell, no hint believed.

Bytes in, rows of text out. What is opened where, and what the rows mean, is said by others.
"""
