"""Hosts that send their logs to one: each with a network namespace, a syslogd and a super-server of its own."""

import signal
import socket
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from .daemon import wait_until
from .network import Namespace, tool
from .places import BINARY, LOG_SOCKET, TEMPORARY
from .wrap import read_all, unpacked

LOG_HOST = "10.78.0.1"
_SYSLOG_PORT = 514
# What a syslogd says of itself is not what is looked at.
_OF_OTHERS = 'if $programname == "rsyslogd" then stop\n'
_MERGES = _OF_OTHERS + """module(load="imtcp")
input(type="imtcp" port="{port}")
action(type="omfile" file="{file}" template="RSYSLOG_TraditionalFileFormat")
"""
_FORWARDS = 'global(localHostname="{name}")\n' + _OF_OTHERS + """module(load="imuxsock" SysSock.Name="{socket}")
*.* @@{log_host}:{port}
"""
_WITH_LOG = 'mount -n --bind "$1" "$2" && shift 2 && exec "$@"'


class Site:
    """The log host, which clients connect from as well, and the others, each with the services that it has."""

    def __init__(self, names: Sequence[str], services: Mapping[str, int], clients: Sequence[str]) -> None:
        self._folder = TEMPORARY / "site"
        self._folder.mkdir()
        self.log = self._folder / "log"
        self._services = services
        self._processes: list[subprocess.Popen[bytes]] = []
        self._log_host = Namespace("loghost")
        self._hosts = {name: Namespace(name) for name in names}
        self._addresses = {name: f"10.78.0.{number}" for number, name in enumerate(names, 11)}
        try:
            self._connect(clients)
            self._start()
        except BaseException:
            self.close()
            raise

    def _connect(self, clients: Sequence[str]) -> None:
        for host in (self._log_host, *self._hosts.values()):
            subprocess.run(["ip", "netns", "add", host.name], check=True, timeout=10)
            host.run("ip", "link", "set", "lo", "up")
        self._log_host.run("ip", "link", "add", "lan", "type", "bridge")
        self._log_host.run("ip", "link", "set", "lan", "up")
        for address in (LOG_HOST, *clients):
            self._log_host.run("ip", "address", "add", f"{address}/24", "dev", "lan")
        for name, host in self._hosts.items():
            self._log_host.run("ip", "link", "add", f"to-{name}", "type", "veth", "peer", "name", "lan", "netns", name)
            self._log_host.run("ip", "link", "set", f"to-{name}", "master", "lan", "up")
            host.run("ip", "address", "add", f"{self._addresses[name]}/24", "dev", "lan")
            host.run("ip", "link", "set", "lan", "up")

    def _start(self) -> None:
        LOG_SOCKET.touch()  # a place for each host's own
        self._start_syslogd(self._log_host, _MERGES.format(port=_SYSLOG_PORT, file=self.log))
        self._wait_for_port(LOG_HOST, _SYSLOG_PORT)
        for service in self._services:
            (self._folder / service).symlink_to(tool("echo"))
        configuration = self._folder / "inetd.conf"
        configuration.write_text("".join(
            f"{port} stream tcp nowait root {BINARY} scanlogd wrap --names {self._folder / service} {service}\n"
            for service, port in self._services.items()))
        for name, host in self._hosts.items():
            log = self._folder / f"{name}.socket"
            self._start_syslogd(host, _FORWARDS.format(name=name, socket=log, log_host=LOG_HOST, port=_SYSLOG_PORT))
            wait_until(lambda log=log: _takes_datagrams(log), f"no syslogd of {name}", 20)
            self._run(host, "unshare", "--mount", "--propagation", "private", "sh", "-c", _WITH_LOG, "sh", log,
                      LOG_SOCKET, unpacked("openbsd-inetd", "inetd"), "-i", configuration)
            for port in self._services.values():
                self._wait_for_port(self._addresses[name], port)

    def _start_syslogd(self, host: Namespace, configuration: str) -> None:
        path = self._folder / f"{host.name}.conf"
        path.write_text(configuration)
        self._run(host, tool("rsyslogd"), "-n", "-i", "NONE", "-f", path)

    def _run(self, host: Namespace, *command: object) -> None:
        self._processes.append(subprocess.Popen(host.command(*command), stdin=subprocess.DEVNULL))

    def _wait_for_port(self, address: str, port: int) -> None:
        """Asks the kernel: a connection would be in the log."""
        host = {LOG_HOST: self._log_host, **{self._addresses[name]: host for name, host in self._hosts.items()}}[address]
        wait_until(lambda: f":{port:04X} 00000000:0000 0A" in host.run("cat", "/proc/net/tcp"), f"nothing at {port}", 20)

    def call(self, name: str, service: str, client: str) -> bytes:
        """Connects to a service of a host, and waits for one more line at the log host."""
        before = len(self.lines())
        with self._log_host.open_socket(socket.AF_INET, socket.SOCK_STREAM) as connection:
            connection.bind((client, 0))
            connection.settimeout(20)
            connection.connect((self._addresses[name], self._services[service]))
            received = read_all(connection)
        wait_until(lambda: len(self.lines()) > before, f"no line about {service} of {name}", 20)
        return received

    def lines(self) -> list[str]:
        return self.log.read_text().splitlines() if self.log.exists() else []

    def close(self) -> None:
        for process in self._processes:
            process.send_signal(signal.SIGTERM)
        for process in self._processes:
            try:
                process.wait(10)
            finally:
                process.kill()
                process.wait(10)
        for host in (self._log_host, *self._hosts.values()):
            subprocess.run(["ip", "netns", "delete", host.name], check=False, timeout=10)
        LOG_SOCKET.unlink(missing_ok=True)


def _takes_datagrams(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as probe:
        return probe.connect_ex(str(path)) == 0
