"""A real, small language model behind the chat: what it says, what of that is shown, and how long each takes."""
