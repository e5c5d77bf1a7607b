"""Runs a case on the subject, compares it, and decides between pass, known defect and finding."""
