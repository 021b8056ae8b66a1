"""The order: one patient's therapy from the prescription to the last follow-up, and whose cells they are.

`subject` and `pair` say who; `state` folds the life of an order; `shipment` carries material with two-party custody;
`case` is the way out of a hard stop. Each other page holds one act of the trade with its rule and its command.
"""
