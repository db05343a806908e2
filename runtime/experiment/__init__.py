"""Experiments of papers, repeated through the engine: many short runs, and a table beside the published one."""
