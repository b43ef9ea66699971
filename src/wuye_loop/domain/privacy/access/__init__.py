"""Who may open what: keys and passwords, their holders, how often an identity may be opened, and the mark it leaves."""
