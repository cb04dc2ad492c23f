"""Keras's names and Keras's numbers in NumPy that can be read in one sitting."""
