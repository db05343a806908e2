"""What a live, paper or rehearsal run has written down of itself: its format, its reading, its way into a catalog."""
