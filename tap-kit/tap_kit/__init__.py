"""What the analytics taps share. No vendor's name occurs in it.

The flow is ``settings -> plan -> fetch -> shape -> emit -> bookmark``; a module for each step.
"""
