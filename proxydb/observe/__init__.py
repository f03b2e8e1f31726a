"""What is remembered of every statement: counters, histograms, the ring and the slow log."""
