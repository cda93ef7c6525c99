"""What has to hold for the repository as a whole."""
