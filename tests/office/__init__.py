"""Small files as bank staff write them, built by code, with the content that a person sees."""
