"""The draft announcement that an award leaves."""
