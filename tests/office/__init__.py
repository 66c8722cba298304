"""Small files as bank staff have them, built by code, each with what a reader of it sees: written before any of it was read by the program."""
