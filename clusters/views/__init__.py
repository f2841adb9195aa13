"""The public pages of the app, and the pages of those who sign in."""
