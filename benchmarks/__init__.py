"""Speed, as ratios against a named rival in the same run.

`python -m benchmarks NAME` runs one; `all` runs every one. `--json` prints JSON lines, `--full` takes the full sizes and
writes the figures into the manual. A benchmark is a module of this folder with `run(session)`.
"""
