"""Memory poisoning: text from elsewhere that wants to become what the agent believes of its user, or does."""
