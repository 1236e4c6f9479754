"""The performance claims, each with the command that makes it. Figures are ratios of one run, never single times.

Here: programs that fill a database, measure in turns, and print a table in Markdown. Not here: tests; nothing fails.
One more claim: a file with a `main`, a target in the Makefile, a row in the README's table with the command.
"""
