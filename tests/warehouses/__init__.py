"""All three taps through Meltano into real targets, undisturbed and killed on the way."""
