"""Memory: values to rows and back. All SQL of the project is in this folder."""
