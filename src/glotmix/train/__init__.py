"""Fine-tuning of a causal language model on an explicit list of rows.

1. `order` is the whole training: `batch_rows` row ids a step, read front to back. Resume skips what was read.
2. A step's loss is the sum over the target tokens of all its rows, divided once by their number: on one device or many.
3. Every `checkpoint_every` steps the validation rows are measured per task and language; the best checkpoint is the
   result.
4. `loop` reads the order; a `Learner` makes the steps on `Devices`; a `Validator` measures; `checkpoint` keeps.
"""
