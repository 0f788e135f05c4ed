"""Microsoft Teams. botbuilder is imported here alone, so that Microsoft's successor SDK can take over in one folder."""
