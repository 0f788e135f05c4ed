"""The command groups of `surveybot`, a file each."""
