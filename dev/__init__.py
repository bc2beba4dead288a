"""The local stack: real servers, the whole system, its seed, and the runner of all tests."""
