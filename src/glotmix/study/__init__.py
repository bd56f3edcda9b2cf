"""A study: its spec, its plan, its store of finished steps, and the engine that runs what is missing.

1. `glotmix.spec` is the study file; `plan.py` resolves it against the pool and the models, before anything is spent.
2. A step (mixture, rows, train, evaluate) is named by a key: a hash of its config and of the content of its inputs.
3. `store.py` keeps finished steps; a step is finished when its `done.json` is there.
4. `engine.py` gives the missing steps to worker processes; `steps.py` is what a worker does.
5. `study.py` joins finished steps into results, findings and the report.
"""
