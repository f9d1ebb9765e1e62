"""The web console: a shop's cameras on a phone, with the live picture (extra ``console``).

Pages only show and ask; what they do is a call that a script could make. Each job has its file:

=============  ===================================================================================
roles          who may call what, by the endpoints' own declarations
sessions       who is here: one-time codes, sessions, their end
gate           what reaches the pages at all: host, origin, session, headers
certificate    https in a network without names
desk           the cameras: where each is, a client for it, its card
setup          from a box to a counted person, step by step
walk           the test walk: were in and out each seen?
doorline       a line being drawn: undo, reasons, comparison
focusing       how sharp a picture is
photos         photos shrunk to what a camera takes
day            a day of recordings as a strip
week           detection as a grid of days and hours
pages          what a person sees; ``pages/picture.js`` is the one piece of JavaScript
server         all of it behind one port
=============  ===================================================================================
"""

from .roles import Role

__all__ = ["Role"]
