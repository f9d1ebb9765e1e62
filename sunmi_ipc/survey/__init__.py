"""First contact with a real camera: what it says, which inferred facts hold, and a file that can be shown to anybody."""
