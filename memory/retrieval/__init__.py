"""From a question to ranked and packed memories."""
