"""What the model or another program may call."""
