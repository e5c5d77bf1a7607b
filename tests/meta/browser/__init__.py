"""The page of records in a real browser; ``nox -s site`` runs these tests."""
