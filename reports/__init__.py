"""What a run of the suite found: records of runs, their differences, and pages made of them.

Standard library only. A record can be read, compared and rendered on a machine that has
neither torch nor NumPy.

==============  ==================================================================
errors          one exception class for every way a report can be wrong
rows            the three kinds of line of a record, as data
encoding        the JSON form of the lines of a record
fields          the fields of one JSON object, each of its type
record          a whole record: read it, write it
destination     where output goes, replaced whole or not at all
visible         text of unknown origin made safe to show, in one place
symptoms        what a finding looks like, apart from its numbers
incidents       the findings of a run without those that only follow from others
circumstances   in which cases something shows, told by the words of their ids
cause           a group of findings that one fault explains, and its text
causes          the few causes that explain all findings of a run
tally           counts and extremes over the cases of one record
comparison      two records, case by case
diff            the text of ``python -m reports diff``
history         one record a release, in order, with the steps between them
markdown        tables and escaping
sections        the sections of RELEASES.md that need the records alone
releases        RELEASES.md; the only module that reads the oracle's registries
webpage         one record as a web page (needs jinja2)
__main__        the command line
==============  ==================================================================
"""
