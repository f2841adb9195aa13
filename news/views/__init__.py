"""The pages of the news, and what machines read of it."""
