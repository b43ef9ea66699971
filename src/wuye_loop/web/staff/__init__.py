"""Screens of people who sign in: handlers, the hotline's desk, supervisors, administrators; each calls loop and queries."""
