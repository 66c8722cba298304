"""Runs a small real language model behind the chat and measures what is shown of its answers, and when."""
