"""What each simulated workflow does, one function per workflow.

A recipe takes chance for the timing, the name of the outcome that is wanted, and the facts of the
instance for the texts. Timing never depends on facts: that is what lets a million instances share
a few hundred patterns.
"""
