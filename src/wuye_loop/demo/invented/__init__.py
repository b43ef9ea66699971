"""What made-up residents complain of, and in which words."""
