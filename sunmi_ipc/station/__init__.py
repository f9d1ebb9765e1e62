"""A shop's cameras, watched and counted by one program that runs for months.

::

    from sunmi_ipc.station import Station, load

    with Station(load("station.toml")) as station:
        for camera in station.status().cameras:
            print(camera.sn, camera.verdict, [reason.text() for reason in camera.reasons])
"""
