"""Records of runs of the suite, their causes and differences, and pages made of them.

A record can be read, compared and rendered on a machine that has neither torch nor NumPy: only
``vectors``, ``behaviour`` and ``html`` need NumPy.

==============  ==================================================================
errors          an exception class for each fault of a report
rows            the three kinds of line of a record, as data
encoding        the JSON form of the lines of a record
fields          the fields of one JSON object, each of its type
reading         input files read with stated limits
order           the lines of a record in their order, each checked against those before it
record          a whole record, read and written
schema          the lines of a record against the published JSON Schema (needs jsonschema)
destination     output to a file, replaced whole or not at all
visible         text of unknown origin made safe to show, in one place
symptoms        findings without the numbers in them
incidents       the findings of a run without those that only follow from others
circumstances   the cases that show something, described by words of ids
cause_text      a group of findings that one fault explains, and its text
causes          the few causes that explain all findings of a run
summary         a record in one line, and as short Markdown
workflow_commands findings as annotations of GitHub Actions
tally           counts and extremes over the cases of one record
accepted        a file of findings that a team has accepted
comparison      the comparison of two records, case by case
shifts          the changes that a user sees, in groups
diff            the text of ``python -m reports diff``
history         one record per release, in order, with the changes between them
markdown        tables, code spans, and markup that must not be acted on
path_section    the section of IMPLEMENTATIONS.md on paths
sections        the sections of RELEASES.md that need the records alone
releases        RELEASES.md, with the releases and known defects that the oracle lists
behaviour       BEHAVIOUR.md: answers to questions (needs NumPy)
behaviour_tables the tables of every combination in BEHAVIOUR.md
proofs          the releases on which the cases that prove a sentence passed
implementations IMPLEMENTATIONS.md
implementation_sections the sections of IMPLEMENTATIONS.md
divergence      the notes on what differs in an implementation
joining         the records of two paths, made comparable
durations       durations in words
revision        the revision of the suite, which a record names
site            records as a page that needs no network (needs jinja2, matplotlib)
templates       the templates of the page: HTML, style and scripts
vectors         test vectors for ports: the numbers of the oracle in files (needs NumPy)
commands        the commands of the command line, one module each
__main__        the command line
==============  ==================================================================
"""
