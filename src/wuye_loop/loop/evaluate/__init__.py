"""The sixth stage, 评价考核: periods close, are published, and what their lists bring comes in as grievances and credit.

Every step is one transaction under the period's row lock; what a list brings is noted before it is done, in the same
transaction, so that it happens once however many do it at the same time.
"""
