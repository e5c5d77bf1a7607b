"""What is equal: one step's observation against what the oracle expects, counted and judged."""
