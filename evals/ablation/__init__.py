"""What each arm of recall is worth, and the fitting of the arms' weights."""
