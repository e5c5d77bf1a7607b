"""The site: records as one page that needs no network (``python -m reports html``).

The page holds the records themselves, packed; scripts of the page (``reports/templates``) unpack, filter
and compare them. What needs no reader's choice is made here.

=========  =======================================================================
columns    the records as columns of one board: their names, groups and order
board      the number of cases of each outcome, behaviours by columns
tables     values of which many are alike, as indices into tables
programs   the program that an id stands for: construction, steps, axes (reads ``cases``)
contents   everything that the scripts of the page need, as data for JSON
packing    data to text that a page can hold
drift      how much numbers moved from release to release
figures    the plots: budget used, drift (matplotlib)
states     the eight states of a module and the ways between them
proofs     the states and ways, each with the cases that prove it
diagram    the picture of the states (matplotlib)
drawing    figures as SVG in the colours of the page (matplotlib)
summary    the first sentences, on the runs and how they ended
faults     the causes of findings, and the known defects
address    addresses within the page
page       the page, from templates (jinja2)
=========  =======================================================================
"""
