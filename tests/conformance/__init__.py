"""Subject against oracle: one test module a family of cases."""
