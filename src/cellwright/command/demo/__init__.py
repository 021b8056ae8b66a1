"""The demonstration: a simulated site, driven through the same commands that people use.

Everything here is SIMULATED and stamped so in the record; published figures keep their source. `stage` runs journeys
on simulated time, `cast` employs the people, `bench` are the instruments and the files they write, `journey` is the
ordinary way of a patient, `story` what goes wrong on the way, `report` what happened to whom and why.
"""
