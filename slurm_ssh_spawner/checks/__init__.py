"""What is wrong with a hub's settings, found without asking anybody: when it starts, and for whoever asks.

`configuration` is what a configuration file says, as plain values; the other modules look each at one thing and
yield Outcomes.
"""
