"""Figures of storing and reading, each as a ratio to a floor measured in the same run."""
