"""What must come out: an executable specification of ``torch.nn.BatchNorm2d`` in NumPy.

``oracle.batch_norm`` is the specification; start there. ``oracle.statistics`` and
``oracle.normalisation`` hold the formulas, ``oracle.bounds`` derives how far a correct
implementation may be from them, ``oracle.semantics`` says which release behaves how, and
``oracle.defects`` where a release is wrong. Nothing here imports torch.
"""
