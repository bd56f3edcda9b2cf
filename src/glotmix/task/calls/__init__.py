"""Calls in a model's output: found in whatever form they are written, never executed; compared with the reference's.

`bounds` refuses what could hurt a parser, `parse_json`, `parse_python` and `parse_api_bank` read one form each, `read`
finds out which one it is, `reference` says what is wanted, `values` compares one value, `grade` a list of calls.
"""
