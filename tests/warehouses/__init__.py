"""All taps through Meltano into real targets, in undisturbed, killed and stopped runs."""
