"""`python -m wuye_loop`: the program, where its launcher cannot say in which folder its Python lies."""

from wuye_loop.cli import main

main()
