"""Figure 5 of the paper on TCP Wrappers: the connections to several services of several hosts, merged by syslog."""

import re
from collections.abc import Iterator

import pytest
from harness.dns import resolver_files
from harness.site import Site
from harness.wrap import AccessFiles

WANDERER, GUEST, NAMELESS = "10.78.0.101", "10.78.0.102", "10.78.0.103"
SERVICES = {"in.telnetd": 2323, "in.ftpd": 2121, "systatd": 1111}
LINE = re.compile(r"[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d (\S+ \S+)\[(\d+)\]: (.+)")


@pytest.fixture
def site(rules: AccessFiles) -> Iterator[Site]:
    with resolver_files(f"{WANDERER} wanderer.example.net\n{GUEST} guest.example.org\n", "hosts: files\n"):
        site = Site(["gate", "mail", "files"], SERVICES, [WANDERER, GUEST, NAMELESS])
        yield site
        site.close()


def test_the_log_host_shows_who_goes_from_host_to_host(site: Site, rules: AccessFiles) -> None:
    rules.write(allow="ALL: .example.net\nin.ftpd: .example.org", deny="ALL: ALL")
    visits = [
        ("gate", "in.telnetd", WANDERER, True), ("gate", "systatd", WANDERER, True), ("mail", "systatd", WANDERER, True),
        ("files", "in.ftpd", GUEST, True), ("files", "systatd", WANDERER, True), ("mail", "in.telnetd", GUEST, False),
        ("files", "in.telnetd", NAMELESS, False), ("gate", "in.ftpd", GUEST, True), ("gate", "in.telnetd", WANDERER, True),
    ]
    names = {WANDERER: f"wanderer.example.net ({WANDERER})", GUEST: f"guest.example.org ({GUEST})",
             NAMELESS: f"{NAMELESS} ({NAMELESS})"}
    for host, service, client, is_granted in visits:
        assert site.call(host, service, client) == (f"{service}\n".encode() if is_granted else b"")
    matches = [LINE.fullmatch(line) for line in site.lines()]
    assert all(matches), site.lines()
    assert [(match[1], match[3]) for match in matches if match] == [
        (f"{host} {service}", f"{'connect' if is_granted else 'refused connect'} from {names[client]}")
        for host, service, client, is_granted in visits]
    assert len({match[2] for match in matches if match}) == len(visits), "a process for each connection"
