"""How things are shown and asked: tables, times, pictures, wording."""
