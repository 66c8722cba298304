"""Small files as bank staff have them, built by code, each with what a person sees in it."""
