"""Starts the chat page: `python app.py [--host] [--port] [--share] [--root-path] [--auth-file] [--language ko|en]`."""
