"""The subject side: drive a module, compare it with the oracle, and test the suite itself."""
