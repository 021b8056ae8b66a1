"""The rules of the factory, pure: no clock, no database, no random number that was not handed in.

A command is judged against a `World` of folded states and gives facts to record, or a refusal that says what would
make it possible. The rooms are the words of the trade: portfolio, trial, plant, recipe, order, lot, quality, release,
and people. Three pages hold what all rooms share: `record` (facts and how they are registered), `identity` (what a
fact claims and expects of the store) and `rule` (commands, refusals, the world).
"""
