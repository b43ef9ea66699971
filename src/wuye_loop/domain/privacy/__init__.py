"""What keeps a complainant unknown: striking identities out of text, sealing them, and the shape of keys.

Pure: keys and chance are handed in; where rings and keys are kept is the store's.
"""
