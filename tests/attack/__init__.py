"""Hostile requests over HTTP against a running page. Every input is harmless to the software it goes through."""
