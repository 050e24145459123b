"""The command line `habitus`: what people type, and what it prints."""
