"""lm-evaluation-harness both ways: its tasks as outcomes of a study, and its result files as results tables.

1. `tasks` finds a task by name and says what it is (config, data, metric), without running any of its code.
2. `run` evaluates a trained model on it, item by item; only this module imports lm_eval's models and torch.
3. `names` tells the language of a task from its name, `files` reads what lm_eval wrote, `results` makes the table.
"""
