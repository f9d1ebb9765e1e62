"""What one types: one to three lines for every page of help. A test runs each through the parser."""

from __future__ import annotations

from typing import Any

_SN = "FS101D8BS00106"
#: What follows ``ipc`` on the line, by the command's words; a group shows those of its first commands.
EXAMPLES: dict[str, tuple[str, ...]] = {
    "demo": ("demo", "demo --cloud"),
    "scan": ("scan", "scan --watch", "scan --target 192.168.1.0/24 --csv"),
    "info": ("info", f"info -c {_SN}", "info -c all"),
    "activate": (f"activate {_SN}", "activate -c 192.168.1.20 --yes"),
    "identify": (f"identify -c {_SN}", "identify -c 1A2B --for 30s"),
    "wifi scan": ("wifi scan -c 192.168.200.1",),
    "wifi show": (f"wifi show -c {_SN}", f"wifi show --reveal -c {_SN}"),
    "wifi set": ('wifi set "Shop Wi-Fi" - -c 192.168.200.1',),
    "keys new": ("keys new hq", "keys new hq --role tune --out hq.pem"),
    "keys list": ("keys list",),
    "keys forget-station": ("keys forget-station shop-0017",),
    "dump": (f"dump -c {_SN}", "dump --check dump-FM020-1.8.2.json"),
    "protocol probe": (f"protocol probe -c {_SN}", "protocol probe --write --dump found.json"),
    "sdcard status": (f"sdcard status -c {_SN}", "sdcard status -c all"),
    "sdcard format": (f"sdcard format -c {_SN}", f"sdcard format --yes -c {_SN}"),
    "image ir": ("image ir", "image ir auto", "image ir off -c all"),
    "image rotation": ("image rotation", "image rotation 180"),
    "image led": ("image led", "image led off -c all"),
    "image name": ("image name", f'image name "Front door" -c {_SN}'),
    "lens show": (f"lens show -c {_SN}",),
    "lens zoom": ("lens zoom 50%", "lens zoom -- -20", "lens zoom 120"),
    "lens focus": ("lens focus +10", "lens focus 300"),
    "lens autofocus": ("lens autofocus", "lens autofocus 50 80"),
    "lens reset": (f"lens reset -c {_SN}",),
    "detection show": ("detection show", "detection show -c all"),
    "detection set": (
        "detection set --motion 2",
        "detection set --motion 3 --days mon,tue --from 22:00 --to 06:00",
    ),
    "doorline show": (f"doorline show -c {_SN}",),
    "doorline set": ("doorline set 400 800 1500 800",),
    "doorline preview": (
        "doorline preview",
        "doorline preview --show",
        "doorline preview 400 800 1500 800 -o line.png",
    ),
    "flow arrivals": ("flow arrivals", "flow arrivals --from yesterday --csv arrivals.csv"),
    "flow passing": ("flow passing", "flow passing --from -7d"),
    "flow leaving": ("flow leaving", "flow leaving --from 2026-11-24"),
    "flow visitors": ("flow visitors", "flow visitors --group VIP --from -7d"),
    "flow visits": ("flow visits 12345 --from -30d",),
    "face group list": (f"face group list -c {_SN}",),
    "face group create": ("face group create VIP --capacity 500",),
    "face group update": ("face group update VIP --rename Guests",),
    "face group delete": ("face group delete VIP",),
    "face group clear": ("face group clear VIP",),
    "face group move-rule": ("face group move-rule --times 3 --within 30d",),
    "face attribute list": ("face attribute list -g VIP",),
    "face attribute add": ("face attribute add birthday -g VIP",),
    "face attribute delete": ("face attribute delete birthday -g VIP",),
    "face add": ("face add photos -g VIP", "face add Zoe.jpg Max.jpg -g VIP"),
    "face list": ("face list -g VIP",),
    "face show": ("face show 12345",),
    "face picture": ("face picture 12345", "face picture 12345 -o Zoe.jpg"),
    "face update": ("face update 12345 --to-group regular",),
    "face delete": ("face delete 12345 -g VIP",),
    "face oldest": ("face oldest -g regular --count 20",),
    "face find": ("face find Zoe.jpg",),
    "hub": (
        "hub --broker mqtts://hub@hq.example --database postgresql://hub@localhost/sunmi",
        "hub --broker mqtt://127.0.0.1:1883 --database hub.db",
    ),
    "hub status": ("hub status", "hub status --database hub.db"),
    "sim sites": (
        "sim sites --count 20 --cameras 10 --broker mqtt://127.0.0.1:1883",
        "sim sites --count 100 --rate 500 --broker mqtt://127.0.0.1:1883",
    ),
    "video live": ("video live", f"video live --url-only -c {_SN}"),
    "video playback": ('video playback --from "yesterday 14:00" --to 15:00',),
    "video records": ("video records", "video records --from -7d"),
    "video download": (
        'video download --from "yesterday 14:00" --to 15:00 -o recordings',
        "video download --from -2h --merge last.mp4",
    ),
    "video snapshot": ("video snapshot --show", "video snapshot -o door.jpg"),
    "video clip": ("video clip --from -10m --to -8m -o clip.mp4",),
    "events list": (f"events list -c {_SN}",),
    "events subscribe": ("events subscribe face --callback http://192.168.1.5:8080/events",),
    "events unsubscribe": ("events unsubscribe face",),
    "events listen": (
        "events listen --subscribe face",
        "events listen --jsonl",
        "events listen --webhook https://shop.example/events",
    ),
    "network show": (f"network show -c {_SN}",),
    "call": ("call device/getInfo", "call config/setLed led_switch=0"),
    "protocol list": ("protocol list", "protocol list --evidence inferred"),
    "protocol show": ("protocol show config/setLed",),
    "protocol import-postman": ("protocol import-postman collection.json",),
    "fleet init": ("fleet init", "fleet init shop.csv"),
    "fleet add": ("fleet add", "fleet add shop.csv --sn FS101D8BS33934"),
    "fleet replace": ("fleet replace FS101D8BS00106 FS101D8BS33934",),
    "fleet diff": ("fleet diff FS101D8BS00106 FS101D8BS33934",),
    "fleet plan": ("fleet plan", "fleet plan shop.csv"),
    "fleet apply": ("fleet apply", "fleet apply shop.csv --jobs 16"),
    "fleet export": ("fleet export --html report.html", "fleet export --csv report.csv"),
    "sites list": ("sites list shops",),
    "sites plan": ("sites plan shops", "sites plan shops --only 'north-*'"),
    "sites apply": ("sites apply shops --canary 1 --then 5 --then all",),
    "sites verify": ("sites verify shops --html report.html",),
    "sites status": ("sites status shops --csv report.csv",),
    "sites counts": ("sites counts shops --from yesterday",),
    "sim start": ("sim start --count 3 --env-file sim.env",),
    "sim cloud": ("sim cloud --env-file cloud.env",),
    "cloud devices": ("cloud devices",),
    "cloud bind": ("cloud bind FS101D8BS00106 02:53:4D:00:00:01",),
    "cloud flow": ("cloud flow", "cloud flow --by tag --from 2026-11-01 -o flow.svg"),
    "trust list": ("trust list",),
    "trust accept": (f"trust accept {_SN}",),
    "configure": ("configure --from FOLDER", "configure", "configure --show"),
    "doctor": ("doctor", f"doctor -c {_SN}"),
    "support": ("support", f"support -c {_SN}", "support --show"),
    "completion": ("completion --install", "completion zsh"),
    "help": ("help", "help wifi set", "help -v lens zoom"),
}
_MOST = 3


def of(words: str, command: Any) -> list[str]:
    """The lines for a page: those written for it, of its first commands, or what its form says."""
    if lines := EXAMPLES.get(words):
        return [f"ipc {line}" for line in lines]
    below = getattr(command, "commands", {})
    if below:
        shown = [name for name, sub in below.items() if not sub.hidden]
        return [of(f"{words} {name}", below[name])[0] for name in shown[:_MOST]]
    given = " ".join(
        str(p.metavar or p.name.upper()).strip("[]")
        for p in command.params
        if p.param_type_name == "argument" and p.required
    )
    return [f"ipc {words} {given}".rstrip()]
