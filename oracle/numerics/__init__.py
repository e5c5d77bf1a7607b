"""The formulas of BatchNorm2d in float64 NumPy, each with a bound on how far a correct result may be off.

``formats`` describes the floating-point formats, ``statistics`` the mean and variances of a batch,
``moving_average`` the running buffers, ``normalisation`` the output; ``bounds`` derives the budgets.
"""
