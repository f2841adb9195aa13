"""What an announcement is passed on as: a document to print, a picture to share it with."""
