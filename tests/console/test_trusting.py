"""What a console says of a camera's certificate, and what a person may do about it."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing

import pytest

from sunmi_ipc.console import trusting
from sunmi_ipc.console.desk import Desk
from sunmi_ipc.console.language import hint_of
from sunmi_ipc.console.roles import ForbiddenError, Role
from sunmi_ipc.console.state import Console
from sunmi_ipc.errors import TlsError
from sunmi_ipc.settings import known_cameras
from sunmi_ipc.simulator import Vendor, VirtualCamera

from .conftest import Audit


def of_another_ca(camera: VirtualCamera, vendor: Vendor) -> None:
    """Have the camera show a certificate of another CA, and take *vendor*'s clients as before."""
    with Vendor() as other:
        context = other.server_context(camera.sn)
        context.load_verify_locations(cadata=vendor.client_authority.pem.decode())
        camera._context = context
        camera._cut()


def test_a_certificate_of_another_ca_is_shown_accepted_and_forgotten(
    ready: VirtualCamera, vendor: Vendor, desk: Callable[..., Desk]
) -> None:
    one = desk(ready)
    well = trusting.look(one, ready.sn)
    assert (well.by, well.error, well.refused) == ("ca", None, False)
    before = well.fingerprint
    of_another_ca(ready, vendor)
    assert one.card(ready.sn, fresh=True).state == "bad"
    seen = trusting.look(one, ready.sn)
    assert seen.refused
    assert isinstance(seen.error, TlsError)
    assert "Trust tab" in hint_of(seen.error)
    assert len(seen.fingerprint) == 95
    assert seen.fingerprint != before
    assert known_cameras().items() == []  # nobody is pinned by looking
    trusting.accept(ready.sn, seen.shown)
    accepted = trusting.look(one, ready.sn)
    assert (accepted.by, accepted.error, accepted.refused) == ("accepted", None, False)
    assert one.card(ready.sn, fresh=True).state != "bad"  # the client that stood open, too
    # It shows another: that is said, and can be accepted in its turn.
    of_another_ca(ready, vendor)
    again = trusting.look(one, ready.sn)
    assert again.refused
    assert again.error is not None
    assert "known" in again.error.values
    assert trusting.forget(ready.sn)
    assert trusting.look(one, ready.sn).by == "ca"
    assert one.card(ready.sn, fresh=True).state == "bad"


def test_one_that_does_not_answer_has_nothing_to_accept(
    ready: VirtualCamera, desk: Callable[..., Desk]
) -> None:
    one = desk(ready)
    ready.close()
    seen = trusting.look(one, ready.sn)
    assert seen.error is not None
    assert not seen.refused
    assert seen.fingerprint == ""


def test_only_who_may_everything_accepts(
    ready: VirtualCamera, desk: Callable[..., Desk], audit: Audit
) -> None:
    with closing(Console(desk(ready), audit)) as console:
        who = console.sessions.enter(console.sessions.code(Role.TUNE), origin="127.0.0.9")[1]
        details = {"fingerprint": "AA:BB"}
        with pytest.raises(ForbiddenError):
            console.act(who, "trust.accept", sn=ready.sn, details=details)
    assert audit.entries[-1]["details"] == details
    assert audit.entries[-1]["result"] == "ForbiddenError"
