"""What a failing case prints: the finding, what explains it, and a script that shows it."""
