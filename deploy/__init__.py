"""Deploys the language model, the embedding model and the search server, on AWS or locally."""
