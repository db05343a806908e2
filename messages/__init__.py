"""What strategies and actors say to each other over the message bus; they know nothing else of one another."""
