"""Reading of videos."""
