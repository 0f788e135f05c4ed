"""What channels and owners are told unasked: what there is to tell, sent once each, and by whose rights (FEATURES D5, E3)."""
