"""What the chatbot runs on: the language model, the embedding and the search server, on AWS or on this machine."""
