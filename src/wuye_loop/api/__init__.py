"""The JSON doors, one file per audience. Each turns a request into a call of the loop or a store, and no more."""
