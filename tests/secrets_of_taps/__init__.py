"""What is secret goes to the vendor, and into nothing else."""
