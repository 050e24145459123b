"""Learning from feedback, measured with simulated users."""
