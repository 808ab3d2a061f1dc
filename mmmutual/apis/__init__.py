"""Inferencers and one-call functions; filled by the tasks."""
