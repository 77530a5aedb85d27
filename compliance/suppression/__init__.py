"""People who were erased stay erased: tokens that recognise them in training data, and say nothing else about them."""
