"""The chat page. Knows answers and their events, not how they are made."""
