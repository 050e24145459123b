"""What runs leave behind, and what is made of it: logs, scores, tables, comparisons, HTML pages."""
