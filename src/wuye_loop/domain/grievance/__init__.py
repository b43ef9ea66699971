"""Where one grievance stands, and what follows from that alone: facts, roles, permissions, audiences, views.

Values and questions about them; nothing here changes a grievance. What an action does is decided in `domain.step`.
"""
