"""A play of the closed loop: a made-up district, its complaints, and thirty days of people at work, all over HTTP.

Everything is invented and decided by a seed and by what is asked, never by who asks first. What is played is the product
itself: the players know nothing but its doors.
"""
