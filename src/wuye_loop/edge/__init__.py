"""What every HTTP door needs before and after the loop: who calls, what a body may be, one transaction, one error contract.

Nothing here knows what a grievance is. Doors are `api` and `web`.
"""
