"""Networks: layers, how their weights start, and the model that they make."""
