"""Quality control: specifications, samples, plates, results, judgement in exact numbers, out-of-specification cases.

`specification` is the file type, `judge` compares one value with one limit, `evaluation` a lot with its specification,
`file` the state of one lot's quality file; the other modules hold the facts and commands.
"""
