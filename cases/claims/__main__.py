"""``python -m cases.claims``: print the table of ``cases/claims/README.md``."""

from __future__ import annotations

from cases.claims import table

if __name__ == "__main__":
    print(table())
