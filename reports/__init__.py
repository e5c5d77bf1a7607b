"""Records of runs of the suite, their causes and differences, and pages made of them.

Standard library only. A record can be read, compared and rendered on a machine that has
neither torch nor NumPy.

==============  ==================================================================
errors          an exception class for each fault of a report
rows            the three kinds of line of a record, as data
encoding        the JSON form of the lines of a record
fields          the fields of one JSON object, each of its type
reading         input files read with stated limits
record          a whole record, read and written
destination     output to a file, replaced whole or not at all
visible         text of unknown origin made safe to show, in one place
symptoms        findings without the numbers in them
incidents       the findings of a run without those that only follow from others
circumstances   the cases that show something, described by words of ids
cause           a group of findings that one fault explains, and its text
causes          the few causes that explain all findings of a run
tally           counts and extremes over the cases of one record
accepted        a file of findings that a team has accepted
comparison      the comparison of two records, case by case
shifts          the changes that a user sees, in groups
diff            the text of ``python -m reports diff``
history         one record per release, in order, with the changes between them
markdown        tables, code spans, and markup that must not be acted on
sections        the sections of RELEASES.md that need the records alone
releases        RELEASES.md; the only module that reads the oracle's registries
webpage         one record as a web page (needs jinja2)
__main__        the command line
==============  ==================================================================
"""
