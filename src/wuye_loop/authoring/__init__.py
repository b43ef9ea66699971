"""Rules on paper: what proves, compares, draws and writes a city's definition.

Here is everything that a clerk's tools need and no grievance ever does: the checker, the difference of two versions, the
pictures, the schema for editors, the writer. A running server loads none of it until somebody publishes a file or asks for
a diagram. How a definition is read, and what it means when it runs, is the domain's.
"""
