"""The pytest plugin: options, parametrisation, rows and summary; one test module per family."""
