"""What the picture of virtual cameras costs: idle, watched by one and by four, and recorded."""

from __future__ import annotations

import argparse
import contextlib
import socket
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path

from sunmi_ipc.simulator import Vendor, VirtualCamera, start_cameras


def share(seconds: float) -> float:
    """The part of one core that this process takes."""
    started, used = time.perf_counter(), time.process_time()
    time.sleep(seconds)
    return (time.process_time() - used) / (time.perf_counter() - started)


class Viewer:
    """Plays over TCP and throws away what comes."""

    def __init__(self, url: str) -> None:
        host, port = url.split("/")[2].split(":")
        self.sock = socket.create_connection((host, int(port)), 20)
        self.file = self.sock.makefile("rb")
        self.url, self.session = url, ""
        self.ask("DESCRIBE")
        self.session = f"Session: {self.ask('SETUP', 'Transport: RTP/AVP/TCP;unicast')}\r\n"
        self.ask("PLAY")
        threading.Thread(target=self.drain, daemon=True).start()

    def ask(self, method: str, header: str = "X: y") -> str:
        """Send a request; the session's name."""
        head = f"{method} {self.url} RTSP/1.0\r\nCSeq: 1\r\nAuthorization: Basic YWRtaW46YWRtaW4=\r\n"
        self.sock.sendall(f"{head}{self.session}{header}\r\n\r\n".encode())
        session = ""
        size = 0
        while line := self.file.readline().decode().strip():
            if line.startswith("Session: "):
                session = line[9:].partition(";")[0]
            if line.startswith("Content-Length: "):
                size = int(line[16:])
        self.file.read(size)
        return session

    def drain(self) -> None:
        """Read until the connection ends."""
        with contextlib.suppress(OSError):
            while self.sock.recv(1 << 16):
                pass

    def close(self) -> None:
        """Leave."""
        self.sock.shutdown(socket.SHUT_RDWR)
        self.file.close()
        self.sock.close()


def timed(action: Callable[[], object]) -> float:
    """Seconds that *action* takes."""
    started = time.perf_counter()
    action()
    return time.perf_counter() - started


def main() -> None:
    """Print a line for each."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=5)
    parser.add_argument("--clips", type=int, default=60)
    options = parser.parse_args()
    with Vendor() as vendor:
        cameras = start_cameras(vendor, 200, first=20, port=0, state="ready", udp=False, people=0)
        print(
            f"200 idle cameras       {share(options.seconds):7.2%} of a core, {threading.active_count()} threads"
        )
        for camera in cameras:
            camera.close()
        with VirtualCamera(vendor, state="ready", udp=False) as camera:
            for size in ("hd", "fhd"):
                alone = 0.0
                for count in (1, 4):
                    viewers = [Viewer(camera.live_url(size)) for _ in range(count)]
                    time.sleep(1)
                    taken = share(options.seconds)
                    alone = alone or taken
                    print(
                        f"{size:3} watched by {count}       {taken:7.2%} of a core, {taken / alone:5.2f} times one's"
                    )
                    for viewer in viewers:
                        viewer.close()
            from sunmi_ipc.simulator.video.footage import recording

            with tempfile.TemporaryDirectory() as folder:
                spans = [[(i * 60, i * 60 + 60)] for i in range(options.clips)]
                kept = Path(folder)
                first = timed(lambda: [recording(kept, camera.state, span) for span in spans])
                again = timed(lambda: [recording(kept, camera.state, span).read_bytes() for span in spans])
                size_mb = sum(file.stat().st_size for file in kept.iterdir()) / 1e6
            print(f"{options.clips} recorded minutes    {first:7.2f} s once, {size_mb:.0f} MB")
            print(f"the same again, read  {again:8.3f} s, {first / again:.0f} times as fast")


if __name__ == "__main__":
    main()
