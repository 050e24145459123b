"""What makes search fast: indexes derived from the stores, and users held in memory."""
