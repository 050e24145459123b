"""What is known of a user, kept right over time and chosen for a request."""
