"""Release: what is missing, who decides, what may leave, and what happens when a result turns after that.

`formula` is the pure formula over gates, `assess` finds the gates of a lot and names what is missing, `permits` asks
again at each later act (D21); the other modules hold the facts and commands.
"""
