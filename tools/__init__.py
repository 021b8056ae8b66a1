"""What keeps the house in order: matrix, catalogues, manual, lock. Run as `python -m tools.NAME`; `make help` names the jobs."""
