"""Assays: what is computed from the readings of a release or in-process test, with its uncertainty and its validity.

Pure numerics. Numbers and typed inputs come in, frozen results go out; files, pictures and the record are elsewhere.
Values are binary floating point inside and in the results, stated with the rounding of the method by whoever judges
them; a limit is judged in decimals by the quality rules. A measurement that fails its own rules is a result as well:
it carries `checks` that name what failed and by how much, and is never an exception nor left out.

    fit              nonlinear least squares, logistic curves, many fits at once
    potency          relative potency: parallel lines, slope ratio, parallel logistic curves
    pcr              standard curves, quantification cycles, digital PCR, vector copies, controls
    endotoxin        kinetic standard curve, spike recovery, dilution, verdict over all bags
    cell_count       viable density, viability, doublings, growth
    immunoassay      ELISA and ELISpot
    cytotoxicity     specific lysis and its curve
    culture          sterility and mycoplasma by culture
    control_chart    statistical process control
    review           the annual product review
"""
