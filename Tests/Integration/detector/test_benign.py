"""Ordinary traffic, of which nothing may be said."""

import socket

import pytest
from harness.network import ATTACKER, ATTACKER_6, TARGET
from harness.scene import Scene


def accept_one(listener: socket.socket) -> None:
    listener.settimeout(5)
    served, _ = listener.accept()
    with served:
        served.settimeout(5)
        served.sendall(b"an answer\n")
        served.recv(100)


@pytest.mark.reference
def test_two_hundred_connections_to_one_open_port_are_silent(scene: Scene) -> None:
    with scene.target.listener(80) as listener:
        for _ in range(200):
            with scene.attacker.open_socket(socket.AF_INET, socket.SOCK_STREAM) as connection:
                connection.settimeout(5)
                connection.connect((TARGET, 80))
                connection.sendall(b"a line\n")
                accept_one(listener)
                assert connection.recv(100) == b"an answer\n"
    scene.assert_nothing_more()


@pytest.mark.parametrize(("family", "address"), [
    pytest.param(socket.AF_INET, ATTACKER, marks=pytest.mark.reference, id="ipv4"),
    pytest.param(socket.AF_INET6, ATTACKER_6, id="ipv6"),
])
def test_our_own_connections_to_thirty_ports_are_silent(
    scene: Scene, family: socket.AddressFamily, address: str
) -> None:
    # From low ports, as a mounted NFS or an old rlogin does it: the answers go to privileged ports, and half of them
    # are refusals, that is RST|ACK.
    for number in range(30):
        is_open = number % 2 == 0
        with scene.target.open_socket(family, socket.SOCK_STREAM) as connection:
            connection.settimeout(5)
            connection.bind(("", 900 + number))
            if not is_open:
                with pytest.raises(ConnectionRefusedError):
                    connection.connect((address, 7000 + number))
                continue
            with scene.attacker.listener(7000 + number, family) as listener:
                connection.connect((address, 7000 + number))
                connection.sendall(b"a line\n")
                accept_one(listener)
                assert connection.recv(100) == b"an answer\n"
    scene.assert_nothing_more(family=4 if family == socket.AF_INET else 6)


@pytest.mark.reference
def test_a_client_of_six_services_is_silent(scene: Scene) -> None:
    for port in (22, 25, 80, 110, 143, 443):
        with scene.target.listener(port) as listener:
            for _ in range(5):
                with scene.attacker.open_socket(socket.AF_INET, socket.SOCK_STREAM) as connection:
                    connection.settimeout(5)
                    connection.connect((TARGET, port))
                    accept_one_silently(listener)
    scene.assert_nothing_more()


def accept_one_silently(listener: socket.socket) -> None:
    listener.settimeout(5)
    served, _ = listener.accept()
    served.close()


@pytest.mark.reference
def test_what_the_target_itself_scans_is_silent(scene: Scene) -> None:
    for port in range(1, 60):
        with scene.target.open_socket(socket.AF_INET, socket.SOCK_STREAM) as connection:
            connection.settimeout(5)
            assert connection.connect_ex((ATTACKER, port)) != 0
    scene.assert_nothing_more()
