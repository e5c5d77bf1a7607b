"""The expected results: an executable specification of ``torch.nn.BatchNorm2d`` in NumPy.

``oracle.batch_norm`` is the specification; start there. ``oracle.expectations`` runs a whole program
through it. The formulas and their error bounds stand in ``oracle.numerics``, the messages that torch
raises in ``oracle.refusals``. ``oracle.semantics`` says which release behaves how, and ``oracle.defects``
where a release is wrong. Nothing here imports torch.
"""
