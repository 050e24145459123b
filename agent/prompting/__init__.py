"""What the generator reads of all that is known: the prompt, its budgets, and marks around foreign text."""
