"""README's table of what nmap does and what is logged of it: every cell is tried."""

import re
import shlex
import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from harness.daemon import Finished, finish
from harness.frames import mac
from harness.network import ATTACKER, ATTACKER_MAC, TARGET, TARGET_6, TARGET_MAC, Namespace, tool
from harness.packets import ACK, LOW_PORTS, RST, SYN, checksum
from harness.places import BINARY, REPOSITORY
from harness.scene import Scene

CLOSED = "1,3,4,6,7,9,13,17"
# What a technique needs beside the options in the table.
MORE = {
    "-sU": ("-p", "68,161,520,626,1027,1645,1812,2049"), "-sO": ("-p", "142,198,228,11,99,72,200"), "-sA": ("-p", CLOSED),
    "-sW": ("-p", CLOSED), "-sM": ("-p", CLOSED), "-sY": ("-p", CLOSED), "-sZ": ("-p", CLOSED),
    "-sY --adler32": ("-p", CLOSED),
}
HERE = ("-p", ",".join(map(str, LOW_PORTS)))
HOSTS = range(20, 60)


def cells() -> list[tuple[str, str]]:
    """The options and what they are logged as, of each row."""
    text = (REPOSITORY / "README.md").read_text()
    rows = text[text.index("| nmap | logged as |"):].split("\n\n")[0].splitlines()[2:]
    found = []
    for row in rows:
        options, logged, _ = (cell.strip() for cell in row.strip("|").split("|", 2))
        found += [(option, logged.strip("`")) for option in re.findall(r"`([^`]+)`", options)]
    assert len(found) > 30
    return found


LIVE = [cell for cell in cells() if cell[0] not in ("-T0", "-T1", "-b", "-sI", "-sn -PE", "-sS of 40 hosts")]


def expect(scene: Scene, logged: str, source: str = ATTACKER) -> None:
    if logged == "nothing":
        return scene.assert_nothing_more()
    alerts = scene.log.wait_for(
        lambda lines: any(re.match(rf"\[?{re.escape(source)}\b.* to \S+( and others,)? {logged}[ ,]", line)
                          for line in lines), f"{logged} of {source}")
    assert len(alerts) <= 3, alerts


@pytest.mark.parametrize(("options", "logged"), LIVE, ids=[cell[0] for cell in LIVE])
def test_what_nmap_does_is_logged_as_the_table_says(idle_scene: Scene, options: str, logged: str) -> None:
    scene = idle_scene
    scene.start()
    words = shlex.split(options)
    source = words[words.index("-S") + 1] if "-S" in words else ATTACKER
    if words[0].startswith("--") or words[0][1] in "fDSgT":
        words = ["-sS", *words]
    if "-6" in words:
        words, destination, source = ["-sS", *words], TARGET_6, "fd77::1"
    else:
        destination = TARGET
    scene.attacker.run("ip", "address", "replace", "10.77.0.11/24", "dev", "wire")
    ports = () if options == "-sL" else MORE.get(options, HERE)
    rate = () if options.startswith("-T") else ("--min-rate", 10)
    scene.attacker.run(tool("nmap"), "-n", "-Pn", "--max-retries", 1, *rate, *ports, *words, destination, timeout=100)
    expect(scene, logged, source)


def logged_as(options: str) -> str:
    (logged,) = {logged for option, logged in cells() if option == options}
    return logged


@contextmanager
def known_neighbours(host: Namespace) -> Iterator[None]:
    """Hosts of the target's network, whose packets come by the target."""
    for number in HOSTS:
        host.run("ip", "neighbour", "replace", f"10.77.0.{number}", "lladdr", TARGET_MAC, "dev", "wire", "nud", "permanent")
    try:
        yield
    finally:
        for number in HOSTS:
            host.run("ip", "neighbour", "del", f"10.77.0.{number}", "dev", "wire")


@pytest.mark.parametrize(("row", "options"), [
    ("-sn -PE", ("-sn", "-PE", "--disable-arp-ping")), ("-sS of 40 hosts", ("-sS", "-Pn", "-p", "445"))])
def test_many_hosts_are_logged_as_the_table_says(idle_scene: Scene, row: str, options: tuple[str, ...]) -> None:
    scene = idle_scene
    scene.start("--promiscuous")
    with known_neighbours(scene.attacker):
        scene.attacker.run(tool("nmap"), "-n", "--send-ip", "--max-retries", 0, "--min-rate", 100, *options,
                           f"10.77.0.{HOSTS[0]}-{HOSTS[-1]}", timeout=60)
        expect(scene, logged_as(row))


def capture_of(path: Path, pause: int) -> Finished:
    """A scan of closed ports with a pause between them, in its own time, as tcpdump would have written it."""
    def packet(source: str, destination: str, ports: tuple[int, int], flags: int, ack: int) -> bytes:
        segment = struct.pack("!HHIIBBHHH", *ports, 0 if flags & RST else 7, ack, 5 << 4, flags, 1024, 0, 0)
        head = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(segment), 1, 0, 64, socket.IPPROTO_TCP, 0)
        return head + socket.inet_aton(source) + socket.inet_aton(destination) + segment

    with path.open("wb") as file:
        file.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 101))
        for number, port in enumerate(map(int, CLOSED.split(","))):
            for data in (packet(ATTACKER, TARGET, (40000, port), SYN, 0),
                         packet(TARGET, ATTACKER, (port, 40000), RST | ACK, 8)):
                file.write(struct.pack("<IIII", 1_700_000_000 + number * pause, 0, len(data), len(data)) + data)
    return finish([str(BINARY), "-r", str(path)])


@pytest.mark.parametrize(("timing", "pause"), [("-T0", 300), ("-T1", 15)])
def test_the_slowest_timings_are_logged_as_the_table_says(tmp_path: Path, timing: str, pause: int) -> None:
    """By the pauses that nmap's manual says they make."""
    done = capture_of(tmp_path / "scan.pcap", pause)
    assert done.status == 0 and len(done.stdout.splitlines()) == 1, done
    assert f" {logged_as(timing)} " in done.stdout


def test_a_scan_by_nmap_itself_at_timing_1_is_logged_as_the_table_says() -> None:
    done = finish([str(BINARY), "-r", str(REPOSITORY / "Tests/Fixtures/captures/nmap_T1.pcap")])
    assert f" {logged_as('-T1')} " in done.stdout, done


class Zombie:
    """A host that is idle, and numbers what it sends one by one: to anything but a reset it answers with one (RFC 9293)."""

    ADDRESS, MAC = "10.77.0.66", "02:00:00:00:77:66"

    def __init__(self, scene: Scene) -> None:
        """It is on the wire where the target is, which sees what is sent to both."""
        self._hosts = (scene.attacker, scene.target)
        for host in self._hosts:
            host.run("ip", "neighbour", "replace", self.ADDRESS, "lladdr", self.MAC, "dev", "wire", "nud", "permanent")
        self._wire = scene.target.open_socket(socket.AF_PACKET, socket.SOCK_RAW)
        with scene.target.entered():
            self._wire.bind(("wire", 0x0003))
        self._wire.settimeout(0.1)
        self._number = 1000
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def close(self) -> None:
        self._over.set()
        self._thread.join()
        self._wire.close()
        for host in self._hosts:
            host.run("ip", "neighbour", "del", self.ADDRESS, "dev", "wire")

    def _serve(self) -> None:
        while not self._over.is_set():
            try:
                frame = self._wire.recv(2000)
            except TimeoutError:
                continue
            packet = frame[14:]
            if frame[12:14] != b"\x08\0" or packet[9] != socket.IPPROTO_TCP:
                continue
            if packet[16:20] == socket.inet_aton(self.ADDRESS):
                self._answer(packet)

    def _answer(self, packet: bytes) -> None:
        source, destination, _, ack = struct.unpack("!HHII", packet[20:32])
        if packet[33] & RST:
            return
        self._number += 1
        if packet[12:16] == socket.inet_aton(TARGET):
            return  # nobody waits for this one
        segment = struct.pack("!HHIIBBHHH", destination, source, ack, 0, 5 << 4, RST, 0, 0, 0)
        ends = packet[16:20] + packet[12:16]
        sum_of = checksum(ends + struct.pack("!HH", socket.IPPROTO_TCP, len(segment)) + segment)
        segment = segment[:16] + struct.pack("!H", sum_of) + segment[18:]
        head = struct.pack("!BBHHHBBH", 0x45, 0, 40, self._number, 0, 64, socket.IPPROTO_TCP, 0) + ends
        head = head[:10] + struct.pack("!H", checksum(head)) + head[12:]
        self._wire.send(mac(ATTACKER_MAC) + mac(self.MAC) + b"\x08\0" + head + segment)


def test_an_idle_scan_is_logged_as_the_table_says(idle_scene: Scene) -> None:
    scene = idle_scene
    zombie = Zombie(scene)
    try:
        scene.start()
        done = scene.attacker.run(tool("nmap"), "-n", "-Pn", "--send-ip", "-sI", f"{zombie.ADDRESS}:80", *HERE, TARGET,
                                  timeout=100)
        assert "Idle scan using zombie" in done, done
        expect(scene, logged_as("-sI"), zombie.ADDRESS)
    finally:
        zombie.close()


class FTPServer:
    """As much of one as lets strangers have it connect elsewhere (RFC 959, PORT; CERT CA-1997-27)."""

    def __init__(self, host: Namespace) -> None:
        self._host = host
        self._listener = host.listener(0)
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _serve(self) -> None:
        try:
            while True:
                client, _ = self._listener.accept()
                with client, client.makefile("rw", newline="\r\n") as lines:
                    self._converse(lines)
        except OSError:
            return

    def _converse(self, lines: object) -> None:
        address = ("", 0)
        print("220 ready", file=lines, flush=True)
        for line in lines:
            word, _, rest = line.strip().partition(" ")
            if word.upper() == "PORT":
                numbers = [int(number) for number in rest.split(",")]
                address = (".".join(map(str, numbers[:4])), numbers[4] * 256 + numbers[5])
            reply = {"USER": "331 password", "PASS": "230 welcome", "PORT": "200 well", "QUIT": "221 goodbye"}
            if word.upper() == "LIST":
                with self._host.open_socket(socket.AF_INET, socket.SOCK_STREAM) as data:
                    data.settimeout(2)
                    refused = data.connect_ex(address) != 0
                print("425 no connection" if refused else "226 done", file=lines, flush=True)
                continue
            print(reply.get(word.upper(), "200 well"), file=lines, flush=True)


def test_an_ftp_bounce_is_logged_as_the_table_says(idle_scene: Scene) -> None:
    """Of the server's address: here it is the attacker's own host."""
    scene = idle_scene
    scene.start()
    server = FTPServer(scene.attacker)
    try:
        scene.attacker.run(tool("nmap"), "-n", "-Pn", "-b", f"anonymous:x@{ATTACKER}:{server.port}", *HERE, TARGET,
                           timeout=60)
        expect(scene, logged_as("-b"))
    finally:
        server.close()
