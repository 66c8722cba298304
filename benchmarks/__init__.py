"""Benchmarks: each prints ratios to a limit and to a peer measured in the same run."""
