"""Which unit is in charge: the routers a definition names, tried in order, each saying why.

`protocol.py` is the plug that other routers implement too; `kinds.py` holds those that are built in. Loads, precedents and
answers of other systems are asked through the protocol, never fetched here.
"""
