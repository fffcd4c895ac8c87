"""What many tests share: made-up media, stored runs, and scenes with known answers."""
