"""Hosts that an administrator's commands can be typed on: ssh, scp, apt and systemctl reach them as they expect.

What a command says is done for real, but for three things: ssh is entering the host's namespaces, a package is only
looked for, and a service is started as its unit would start it.
"""

import os
import shlex
import signal
import subprocess
from pathlib import Path

from .daemon import Finished, finish, wait_until
from .network import TARGET, Namespace, tool
from .places import BINARY

# Its own /etc, /dev and logs. Its rsyslog is as Debian configures it, but does not read the kernel's log: that is the
# tester's.
_HOST = r"""
set -e
cp -a /etc/. etc
rm -rf etc/rsyslog.d etc/default etc/scanlogd-fleet
mkdir etc/rsyslog.d etc/default
sed -i '/imklog/d' etc/rsyslog.conf
echo "$ADDRESS $NAMES" >etc/hosts
echo 'hosts: files' >etc/nsswitch.conf
cp -a /dev/fd dev
for node in null zero random urandom; do : >dev/$node; mount -n --bind /dev/$node dev/$node; done
hostname "$NAME"
mount -n --bind etc /etc
mount -n --rbind dev /dev
mount -n -t tmpfs tmpfs /var/log
mount -n -t tmpfs tmpfs /var/spool/rsyslog
echo >ready
exec sleep 600
"""

_PROGRAMS = {
    "ssh": r"""
host=$1
shift
exec nsenter --target "$(cat "$HOSTS/$host/pid")" --mount --uts --net -- sh -c "$*"
""",
    "scp": r"""
[ "$1" = -p ] && shift && preserve=-p
for last; do :; done
host=${last%%:*}
while [ $# -gt 1 ]; do
    cp ${preserve:-} "$1" "$HOSTS/transfer/"
    ssh "$host" "cp ${preserve:-} '$HOSTS/transfer/${1##*/}' '${last#*:}'" || exit
    rm "$HOSTS/transfer/${1##*/}"
    shift
done
""",
    "apt": r"""
[ "$1" = install ] || exit 100
shift
for word; do
    [ "$word" = -y ] || dpkg-query -W -f '${db:Status-Status}\n' "$word" | grep -qx installed || exit 100
done
""",
    "systemctl": r"""
[ "$1" = restart ] || exit 1
shift
for service; do
    pid=$HOSTS/$(hostname)/$service.pid
    ! [ -e "$pid" ] || exit 1 # one that runs is not expected
    case $service in
    rsyslog)
        rsyslogd -n -i NONE </dev/null >/dev/null 2>&1 &
        echo $! >"$pid"
        while ! [ -S /dev/log ]; do sleep 0.1; done
        ;;
    scanlogd)
        SCANLOGD_OPTIONS=
        [ ! -e /etc/default/scanlogd ] || . /etc/default/scanlogd
        "$SCANLOGD" --pidfile "$pid" $SCANLOGD_OPTIONS
        ;;
    *) exit 1 ;;
    esac || exit 1
done
""",
}


class ReadmeHosts:
    """Some hosts by their names, all at one address: the first is where commands are typed."""

    def __init__(self, folder: Path, network: Namespace, names: list[str]) -> None:
        for name in ("rsyslogd", "openssl", "dpkg-query"):
            tool(name)
        self._folder = folder
        self._typed_on = names[0]
        self._hosts: list[subprocess.Popen[bytes]] = []
        for place in ("programs", "transfer"):
            (folder / place).mkdir(parents=True)
        for name, text in _PROGRAMS.items():
            (folder / "programs" / name).write_text(f"#!/bin/sh\n{text}")
            (folder / "programs" / name).chmod(0o755)
        self._environment = os.environ | {
            "HOSTS": str(folder), "SCANLOGD": str(BINARY), "ADDRESS": TARGET, "NAMES": " ".join(names),
            "PATH": f"{folder / 'programs'}:{os.environ['PATH']}"}
        try:
            for name in names:
                self._start(name, network)
        except BaseException:
            self.tear_down()
            raise

    def _start(self, name: str, network: Namespace) -> None:
        folder = self._folder / name
        for place in ("etc", "dev"):
            (folder / place).mkdir(parents=True)
        command = network.command("unshare", "--mount", "--uts", "sh", "-c", _HOST)
        host = subprocess.Popen(command, cwd=folder, env=self._environment | {"NAME": name}, stdin=subprocess.DEVNULL)
        self._hosts.append(host)
        (folder / "pid").write_text(f"{host.pid}\n")
        wait_until(lambda: (folder / "ready").exists() or host.poll() is not None, f"{name}: not set up", 20)
        assert host.poll() is None, f"{name}: not set up"

    def type(self, command: str, folder: Path) -> Finished:
        """Runs a command in a folder of the first host."""
        there = f"cd {shlex.quote(str(folder))} && {command}"
        return finish([str(self._folder / "programs/ssh"), self._typed_on, there], env=self._environment, timeout=60)

    def tear_down(self) -> None:
        for file in self._folder.glob("*/*.pid"):
            number = int(file.read_text())
            os.kill(number, signal.SIGTERM)
            os.waitpid(number, 0)  # orphans are children of the first process, which this is
        for host in self._hosts:
            host.kill()
            host.wait()
