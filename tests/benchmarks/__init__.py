"""Speed and memory as ratios against a baseline of the same run: `python -m tests.benchmarks`. Nothing here passes or fails by a clock."""
