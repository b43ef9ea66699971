"""What a simulation came to: figures, what stands, and what not to read into them."""
