"""Lint: say before a cluster does what would break direct access.

read → build → check → place → suppress → report; the rules themselves are in ``transformer.rules``.
"""
