"""What the vendor says: declarations, values, codes, the envelope. No input or output here."""
