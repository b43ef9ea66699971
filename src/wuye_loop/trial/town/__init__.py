"""The town that a sandbox and a simulation stand in: units and estates for every role that a definition names."""
