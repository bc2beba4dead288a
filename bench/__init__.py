"""How fast it is: `python -m bench` measures on servers of its own and writes `bench/results.json`."""
