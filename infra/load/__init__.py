"""Many reports at a steady rate, and the proof that each one that was answered is there once, as it was sent."""
