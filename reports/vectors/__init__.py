"""Portable test vectors: what the oracle expects, in files that need neither torch nor Python.

This package writes down the oracle's numbers, so it imports ``oracle``, ``cases`` and NumPy, as no
other part of ``reports`` does. It imports no torch, and nothing in ``reports`` but its command imports
it. ``reports/VECTORS.md`` describes the files.

==========  ==================================================================
selection   which cases of a tier are written, and why each of the others is not
flags       what a port must offer, what it must refuse, what a case is about
situations  the flags that follow from numbers
refusals    which exceptions of torch a port must raise as well
changes     the changes that a step makes to what a port has
numbers     what is expected of one quantity, with its budget
arrays      the arrays, each stored once, and the points of large ones
program     a case's program in plain JSON objects
content     all files of a set of vectors, as bytes
folder      the directory that they are written to
page        reports/VECTORS.md, with the tables of flags
consumers   ports and consumers in NumPy and JavaScript, which are copied
schema      a JSON Schema of each JSON file
==========  ==================================================================
"""
