"""The formulas of BatchNorm2d in float64 NumPy, with bounds on the error of a correct result.

``formats`` describes the floating-point formats, ``statistics`` the mean and variances of a batch,
``moving_average`` the running buffers, ``normalisation`` the output; ``bounds`` derives the budgets.
``propagation`` derives those of second and third derivatives; ``devices`` adds the roundings of GPUs;
``exactness`` proves that nothing rounds; ``exact_sums`` and ``plain_sums`` sum; ``budgeted`` has the
type.
"""
