"""Pictures and papers from outside: told by their bytes, decoded in a process of their own, and written anew.

What is kept is what was seen: pixels and pages. What cameras, phones and programs write beside them never arrives.
"""
