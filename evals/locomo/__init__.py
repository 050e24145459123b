"""LoCoMo (Maharana et al., ACL 2024): its file, its questions put to an agent, and the scores."""
