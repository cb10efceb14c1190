"""Stand-ins for a UNICORE server and for NSG, the Neuroscience Gateway: they run what they are sent.

They are written from public documents, clients and server sources; no server of either kind was at hand. See
docs/gateways.md for what of the protocols is here and what is not.
"""
