# Leaves all as it is.
