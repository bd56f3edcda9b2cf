"""Messages in, text out: how a conversation is written for a model, and the backends that answer it."""
