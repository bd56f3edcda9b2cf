"""Full fine-tuning of a causal language model on an explicit list of rows.

1. `order` is the whole training: `batch_rows` row ids a step, read front to back. Resume skips what was read.
2. A step's loss is the sum over the target tokens of all its rows, divided once by their number.
3. Every `checkpoint_every` steps the validation rows are scored per language; the best checkpoint is the result.
"""
