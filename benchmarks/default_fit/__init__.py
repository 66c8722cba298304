"""Fits the default calibration that every index starts with."""
