"""Fault injection: every function of the monitor that a fit reaches is made to raise, one at a time."""
