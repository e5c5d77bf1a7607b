"""The subject side: drives a module, compares it with the oracle, and tests the suite itself."""
