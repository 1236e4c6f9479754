"""The peers that we measure ourselves against, each as its own documents say it is to be set up, at its fastest.

What is in the folders here runs in a virtual environment of its own (`.venv-peers`, requirements/bench.txt) and imports
nothing of ours but `benchmarks.people`. One more peer: its pins in requirements/bench.in, its application here, a row
in `benchmarks/rigs.py`.
"""
