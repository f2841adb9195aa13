"""Days and moments where Django writes them itself, as the portal's own words do."""
