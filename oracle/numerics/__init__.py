"""The formulas of BatchNorm2d in float64 NumPy, with bounds on the error of a correct result.

``formats`` describes the floating-point formats, ``statistics`` the mean and variances of a batch,
``moving_average`` the running buffers, ``normalisation`` the output; ``bounds`` derives the budgets.
"""
