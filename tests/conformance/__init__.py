"""The pytest plugin: options, parametrisation, recording and summary; one test module per family."""
