#!/bin/sh
# sunmi-ipc @VERSION@: a program that unpacks itself once and starts. What follows the last line is a tar file.
set -eu
base=${SUNMI_IPC_PROGRAM_DIR:-${XDG_CACHE_HOME:-${HOME:?HOME is not set: name a folder in SUNMI_IPC_PROGRAM_DIR}/.cache}/sunmi-ipc-program}
home=$base/@VERSION@-@ID@
if [ ! -x "$home/ipc" ]; then
  (umask 077 && mkdir -p "$base")
  # Somebody else's folder could hold somebody else's program.
  [ -O "$base" ] || { echo "error: $base belongs to another user; name a folder of yours in SUNMI_IPC_PROGRAM_DIR" >&2; exit 1; }
  new=$(mktemp -d "$base/.new-XXXXXXXX")
  trap 'rm -rf "$new"' EXIT INT TERM HUP
  [ ! -t 2 ] || printf 'Unpacking, this once ...\r' >&2
  if ! tail -c +@START@ "$0" | tar -xzf - -C "$new"; then
    echo "error: $0 could not be unpacked into $base: is the disk full, or the download cut off?" >&2
    exit 1
  fi
  # Two that start at once: the first one's folder stays.
  mv -T "$new" "$home" 2>/dev/null || [ -x "$home/ipc" ]
  rm -rf "$new"
  trap - EXIT INT TERM HUP
fi
exec "$home/ipc" "$@"
