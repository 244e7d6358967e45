"""Many conversations of the live chat at once, and the proof that nothing of them was lost."""
