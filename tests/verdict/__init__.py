"""What is decided: run a case on the subject, compare it, and decide between pass, defect and finding."""
