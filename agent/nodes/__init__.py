"""The nodes of the graph, one verb each; `graph.py` wires them."""
