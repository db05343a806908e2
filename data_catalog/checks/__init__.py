"""What is wrong with the data of a catalog."""
