"""NSG, the Neuroscience Gateway, as a Backend: the CIPRES REST API."""
