"""One month of the force's own figures, replayed through the running service: `python -m infra.replay`."""
