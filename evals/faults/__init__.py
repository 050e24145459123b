"""Faults on purpose: processes killed at random, full disks, damaged files; and what was lost."""
