"""The hub: what stations say at a broker, stored in a database (extra ``hub``)."""
