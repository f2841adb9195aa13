"""The life of an announcement: its steps, each with what stands against it."""
