"""pytest's part: options, parametrisation, recording and summary; one test module a family of cases."""
