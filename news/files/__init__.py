"""Files of announcements, without the models: copies of pictures, what an attachment may be."""
