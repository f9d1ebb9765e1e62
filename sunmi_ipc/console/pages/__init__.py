"""What a person sees. A page shows, asks and says what came of it; what it does is a call elsewhere."""
