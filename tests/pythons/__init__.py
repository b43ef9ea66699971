"""`make pythons`: the fast tests on every supported Python that is found on this machine."""
