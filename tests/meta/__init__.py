"""The suite against itself."""
