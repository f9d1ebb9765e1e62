"""Chinese texts: one module a subject, each with a table ``ZH`` from the English template."""
