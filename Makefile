# scanlogd in Swift. `make demo` shows it at work, `make test` proves it; see README.md.

# The shipped binary is Embedded Swift and links the C library only. EMBEDDED=0 builds the same sources as an
# ordinary static program, for toolchains without Embedded Swift.
EMBEDDED = 1

SWIFT = swift
# SwiftPM gives the compiler the enabled traits in the order of a hash table, which is another each time: without this,
# every build is one from scratch.
export SWIFT_DETERMINISTIC_HASHING = 1
DESTDIR =
PREFIX = /usr/local
SBINDIR = $(PREFIX)/sbin
MANDIR = $(PREFIX)/share/man
SYSCONFDIR = /etc
UNITDIR = $(PREFIX)/lib/systemd/system
SYSUSERSDIR = $(PREFIX)/lib/sysusers.d
TMPFILESDIR = $(PREFIX)/lib/tmpfiles.d
EXAMPLEDIR = $(PREFIX)/share/doc/scanlogd
DATADIR = $(PREFIX)/share/scanlogd

# Full RELRO, no run path, no symbols, and so no debug information to make; no frame pointers, which SwiftPM keeps for
# profilers.
LINK = --omit-frame-pointers -debug-info-format none --disable-local-rpath \
	-Xlinker -z -Xlinker relro -Xlinker -z -Xlinker now -Xlinker -s

ifeq ($(EMBEDDED),1)
SCRATCH = .build-embedded
BUILD = $(SWIFT) build -c release --scratch-path $(SCRATCH) --traits Embedded$(subst $() ,,$(FEATURES:%=,%)) $(LINK)
else
SCRATCH = .build-ordinary
BUILD = $(SWIFT) build -c release --scratch-path $(SCRATCH) $(ORDINARY_TRAITS) --static-swift-stdlib $(LINK)
endif
# What is built in, as traits of the package: where packets can come from beside raw sockets, and roles. Libraries are
# loaded when they are asked for, not linked.
comma = ,
FEATURES = Ring Nids Connections Rules Wrap
ORDINARY_TRAITS = $(if $(FEATURES),--traits $(subst $() ,$(comma),$(FEATURES)),--disable-default-traits)

FUZZ_SECONDS = 60

.PHONY: all linux libpcap libnids demo demo-wrap test lint unit asan integration integration-beside integration-busy
.PHONY: integration-alone fuzz bench soak install uninstall clean

# The shipped binary: every backend, and every role.
all: libnids

# The original's three targets. The first has raw sockets only, as there, and no other role than the detector: the
# smallest, and blind behind a firewall.
linux: FEATURES =
libpcap: FEATURES = Ring Connections Rules Wrap
libnids: FEATURES = Ring Nids Connections Rules Wrap

# Where the program is put.
BINARY = scanlogd
linux libpcap libnids:
	$(BUILD) --product scanlogd
	cmp -s $(SCRATCH)/release/scanlogd $(BINARY) || install -m 755 $(SCRATCH)/release/scanlogd $(BINARY)

# The shipped binary for arm64, made on another machine. The toolchain has the Embedded library for bare aarch64 only;
# that has all that is used of it, so Swift compiles for that, and C, its headers and the linker are Debian's for Linux.
.PHONY: arm64
arm64: needs-arm64
	$(SWIFT) build -c release --scratch-path .build-arm64 --triple aarch64-unknown-linux-gnu \
		--toolset rc.d/toolset-arm64.json --traits Embedded$(subst $() ,,$(FEATURES:%=,%)) $(LINK) --product scanlogd
	cmp -s .build-arm64/release/scanlogd scanlogd-arm64 || \
		install -m 755 .build-arm64/release/scanlogd scanlogd-arm64

# Packages for Debian 12 and later, of what was built; Debian has no Swift to build it with. The second one is made on
# another machine.
architecture = $(shell dpkg --print-architecture)
.PHONY: deb deb-arm64
deb: needs-deb all
	$(call package,$(architecture),scanlogd)
deb-arm64: needs-deb arm64
	$(call package,arm64,scanlogd-arm64)
define package
	@package=$$(rc.d/debian/build $(1) $(CURDIR)/$(2) .build-deb/$(1)) && cp "$$package" . && \
		echo "Made $${package##*/}"
endef

demo: needs-demo all
	SCANLOGD=$(CURDIR)/scanlogd Tests/Demo/demo

demo-wrap: needs-demo-wrap all
	SCANLOGD=$(CURDIR)/scanlogd Tests/Demo/demo-wrap

# Three hosts and a collector on one machine.
.PHONY: fleet-demo
fleet-demo: needs-fleet all
	SCANLOGD=$(CURDIR)/scanlogd fleet/demo

# How fast the databases of a fleet take events, and how large they become: fleet/README.md has the figures.
.PHONY: fleet-bench
fleet-bench: needs-test all
	TEST_TIMEOUT=600 SCANLOGD=$(CURDIR)/scanlogd Tests/Integration/run -q -s fleet/bench_rates.py

one_scan = Tests/Integration/run -q -k an_ipv6_scan_is_reported_to_the_byte

# Everything, as CI runs it. The shipped binary is what the integration tests test, whatever EMBEDDED says. Each of the
# builds takes one processor most of its time, so two go side by side, the longest first. The integration tests go beside
# none of them: many wait for something that has to happen within seconds.
test: needs-test lint
	$(MAKE) -j2 --output-sync=target build-asan build-fuzz build-ordinary test-hooks build-shipped build-pcap build-raw
	$(MAKE) -j2 --output-sync=target asan check-binary check-system-calls
	Tests/Fuzz/run 10
	$(MAKE) check-builds integration

.PHONY: check-builds build-asan build-fuzz build-ordinary build-raw build-pcap build-shipped
# The program in its other forms.
check-builds: build-ordinary build-pcap build-raw
	Tests/Binary/check .build-raw/scanlogd .build-raw/release raw
	Tests/Binary/check .build-pcap/scanlogd .build-pcap/release 'ring raw pcap'
	for build in ordinary raw pcap; do SCANLOGD=$(CURDIR)/.build-$$build/scanlogd $(one_scan) || exit 1; done

build-shipped:
	$(MAKE) EMBEDDED=1 libnids
build-ordinary:
	$(MAKE) EMBEDDED=0 BINARY=.build-ordinary/scanlogd all
build-pcap:
	$(MAKE) EMBEDDED=1 SCRATCH=.build-pcap BINARY=.build-pcap/scanlogd libpcap
build-raw:
	$(MAKE) EMBEDDED=1 SCRATCH=.build-raw BINARY=.build-raw/scanlogd linux

lint: needs-test
	$(SWIFT) format lint --strict -r Package.swift Sources Tests
	mandoc -T lint -W warning man/*.[58]
	@# Who may import what: see ARCHITECTURE.md.
	! grep -rnE '^ *import ' Sources/ScanCore
	! grep -rnE '^ *import ' Sources/HostRules | grep -v 'import ScanCore$$'
	! grep -rnE '^ *import (CLinux|CPcap|CNids)$$' Sources/scanlogd
	! grep -rnE '^ *import (Capture|HostRules|CPcap|CNids)$$' Sources/System

check-binary: test-hooks
	Tests/Binary/check scanlogd .build-embedded/release 'ring raw pcap nids' .build-hooks/release/scanlogd
	Tests/Binary/check-calls .build-embedded/release

# The same program, but that SIGUSR2 makes it do what its sandbox forbids.
.PHONY: test-hooks
test-hooks:
	$(SWIFT) build -c release --scratch-path .build-hooks --traits Embedded,Ring,Nids,Connections,Rules,Wrap,TestHooks $(LINK) --product scanlogd

# The programs that filter system calls, made anew from the lists in Sources/CSeccomp/policy, compared, and judged
# by them.
.PHONY: system-calls check-system-calls
system-calls:
	Sources/CSeccomp/policy/make

check-system-calls:
	Tests/SystemCalls/check

# All unit tests, quickly; `make test` runs them under Address Sanitizer.
unit:
	Tests/failures-last $(SWIFT) test

# Without the search for leaks: Foundation and XCTest leak, now and then, and ScanCore has no heap. Without a record of
# where memory was allocated, which takes as long as the tests: ASAN='' to see it. Without the backtrace: it hangs after
# what the sanitizer finds.
ASAN = :malloc_context_size=0
asan: build-asan
	ASAN_OPTIONS=detect_leaks=0$(ASAN) SWIFT_BACKTRACE=enable=no Tests/failures-last \
		$(SWIFT) test --skip-build --scratch-path .build-asan --sanitize address
# A module at a time: that takes a fifth less than SwiftPM's batches of files, which are for one who changes a file.
whole_modules = $(addprefix -Xswiftc ,-wmo -num-threads 2 -disable-batch-mode)
build-asan:
	$(SWIFT) build --build-tests --scratch-path .build-asan --sanitize address $(whole_modules)

# All integration tests: those that may run beside others, which wait most of their time; then those that keep a
# processor busy, by twos; then those that need the machine for themselves.
integration: integration-beside
	$(MAKE) integration-busy
	$(MAKE) integration-alone
integration_tests = SCANLOGD=$(CURDIR)/scanlogd SCANLOGD_WITH_TEST_HOOKS=$(CURDIR)/.build-hooks/release/scanlogd \
	Tests/failures-last Tests/Integration/
integration-beside: test-hooks
	$(integration_tests)run-beside 6 -m 'not busy and not alone'
integration-busy: test-hooks
	$(integration_tests)run-beside 2 -m busy
integration-alone: test-hooks
	$(integration_tests)run -m alone

# What takes too long for each run.
soak: booted emulated reproducible
	START_CYCLES=1000 TEST_TIMEOUT=600 SOAK_SECONDS=1800 ORDINARY_SECONDS=3600 SCANLOGD=$(CURDIR)/scanlogd \
		Tests/Integration/run -k 'many_starts_and_stops or mixed_traffic or ordinary_traffic'
	$(MAKE) oracle ORACLE_SECONDS=1800

# The unit, the init script and the package in a Debian that systemd boots, which is made in .soak, once.
.PHONY: booted
booted: needs-soak deb
	Tests/make-debian $(CURDIR)/.soak/debian12
	BOOTED_SYSTEM=$(CURDIR)/.soak/debian12 TEST_TIMEOUT=600 SCANLOGD=$(CURDIR)/scanlogd Tests/Integration/run \
		booted
	BOOTED_SYSTEM=$(CURDIR)/.soak/debian12 PACKAGE=$(CURDIR)/.build-deb/$(architecture) \
		TEST_TIMEOUT=600 SCANLOGD=$(CURDIR)/scanlogd Tests/Integration/run packaged

# The program for arm64: the recorded captures by qemu-user, then its package on Debian's kernel in qemu-system.
.PHONY: emulated
emulated: needs-soak all deb-arm64
	Tests/make-arm64 $(CURDIR)/.soak/arm64
	Tests/under-qemu .build-arm64/under-qemu $(CURDIR)/.soak/arm64/root $(CURDIR)/scanlogd-arm64
	SCANLOGD=$(CURDIR)/.build-arm64/under-qemu TEST_TIMEOUT=600 Tests/Integration/run capture/test_replay.py \
		-k 'gives_the_lines_of_the_reference or other_kinds_are_found or give_no_other_kind'
	ARM64_SYSTEM=$(CURDIR)/.soak/arm64 PACKAGE=$(CURDIR)/.build-deb/arm64 TEST_TIMEOUT=600 \
		SCANLOGD=$(CURDIR)/scanlogd Tests/Integration/run emulated

# The packages are the same when they are built anew from what is committed, in another place.
.PHONY: reproducible
reproducible: deb deb-arm64
	Tests/reproducible .build-deb

# The kernel as judge, for an hour; ORACLE_SEED=N repeats a run. What it finds is kept as captures in .oracle.
ORACLE_SECONDS = 3600
.PHONY: oracle
oracle: needs-test all
	mkdir -p .oracle
	ORACLE_SECONDS=$(ORACLE_SECONDS) ORACLE_FINDINGS=.oracle SCANLOGD=$(CURDIR)/scanlogd Tests/Integration/run \
		-s -k kernel_oracle

fuzz: build-fuzz
	Tests/Fuzz/run $(FUZZ_SECONDS)
build-fuzz:
	Tests/Fuzz/build

bench: needs-bench all
	$(BUILD) --product core-benchmark
	CORE_BENCHMARK=$(CURDIR)/$(SCRATCH)/release/core-benchmark SCANLOGD=$(CURDIR)/scanlogd Tests/Benchmarks/run

.PHONY: needs-demo needs-demo-wrap needs-fleet needs-test needs-bench needs-soak needs-arm64 needs-deb
needs-demo needs-demo-wrap needs-fleet needs-test needs-bench needs-soak needs-arm64 needs-deb:
	Tests/install-needs $(@:needs-%=%)

installed = \
	$(DESTDIR)$(SBINDIR)/scanlogd \
	$(addprefix $(DESTDIR)$(MANDIR)/,$(pages)) \
	$(DESTDIR)$(SYSCONFDIR)/init.d/scanlogd \
	$(DESTDIR)$(UNITDIR)/scanlogd.service \
	$(DESTDIR)$(SYSUSERSDIR)/scanlogd.conf \
	$(DESTDIR)$(TMPFILESDIR)/scanlogd.conf \
	$(DESTDIR)$(DATADIR)/event.schema.json \
	$(DESTDIR)$(EXAMPLEDIR)/fail2ban/filter.local \
	$(DESTDIR)$(EXAMPLEDIR)/fail2ban/jail.local \
	$(addprefix $(DESTDIR)$(EXAMPLEDIR)/wrap/,$(wrap_examples))
wrap_examples = inetd.conf wrapped-telnet.socket wrapped-telnet@.service wrapped-tftp.socket wrapped-tftp.service
pages = man8/scanlogd.8 man8/scanlogd-connections.8 man8/scanlogd-wrap.8 man5/scanlogd-events.5 man5/scanlogd-rules.5
with_paths = sed -e 's|@SBINDIR@|$(SBINDIR)|g' -e 's|@EXAMPLEDIR@|$(EXAMPLEDIR)|g' -e 's|@DATADIR@|$(DATADIR)|g' \
	-e 's|/etc/default/scanlogd|$(SYSCONFDIR)/default/scanlogd|g'

directories = DESTDIR PREFIX SBINDIR MANDIR SYSCONFDIR UNITDIR SYSUSERSDIR TMPFILESDIR EXAMPLEDIR \
	DATADIR
export $(directories)
.PHONY: check-paths
check-paths:
	@rc.d/check-paths $(directories)

# Installs what `make` built; for this machine, not for a package, it also makes the user and /var/empty, and has
# `man -k` find the manual pages.
install: check-paths
	@test -x $(BINARY) || { echo "install: build first, with make" >&2; exit 1; }
	@for file in $(installed); do if [ -L "$$file" ]; then \
		echo "install: $$file: is a symbolic link, as of a masked unit; remove it first" >&2; exit 1; fi; done
	@if [ -z "$(DESTDIR)" ]; then rc.d/prepare-host $(SYSCONFDIR)/init.d/scanlogd; fi
	install -d $(dir $(installed))
	install -m 755 $(BINARY) $(DESTDIR)$(SBINDIR)/scanlogd
	for page in $(pages); do \
		$(with_paths) man/$${page#*/} >$(DESTDIR)$(MANDIR)/$$page && chmod 644 $(DESTDIR)$(MANDIR)/$$page || exit 1; \
	done
	$(with_paths) rc.d/scanlogd >$(DESTDIR)$(SYSCONFDIR)/init.d/scanlogd
	chmod 755 $(DESTDIR)$(SYSCONFDIR)/init.d/scanlogd
	$(with_paths) rc.d/scanlogd.service >$(DESTDIR)$(UNITDIR)/scanlogd.service
	chmod 644 $(DESTDIR)$(UNITDIR)/scanlogd.service
	install -m 644 rc.d/sysusers.conf $(DESTDIR)$(SYSUSERSDIR)/scanlogd.conf
	install -m 644 rc.d/tmpfiles.conf $(DESTDIR)$(TMPFILESDIR)/scanlogd.conf
	install -m 644 rc.d/event.schema.json $(DESTDIR)$(DATADIR)
	install -m 644 rc.d/fail2ban/filter.local rc.d/fail2ban/jail.local $(DESTDIR)$(EXAMPLEDIR)/fail2ban
	for file in $(wrap_examples); do \
		$(with_paths) rc.d/wrap/$$file >$(DESTDIR)$(EXAMPLEDIR)/wrap/$$file && \
		chmod 644 $(DESTDIR)$(EXAMPLEDIR)/wrap/$$file || exit 1; \
	done
	@if [ -z "$(DESTDIR)" ]; then rc.d/index-manuals add $(MANDIR) $(pages); fi
	@echo "Installed, not started. With systemd: systemctl daemon-reload && systemctl enable --now scanlogd"
	@echo "Without: update-rc.d scanlogd defaults && $(SYSCONFDIR)/init.d/scanlogd start"

uninstall: check-paths
	@if [ -z "$(DESTDIR)" ]; then rc.d/refuse-package $(SYSCONFDIR)/init.d/scanlogd; fi
	rm -f $(installed)
	-rmdir $(DESTDIR)$(EXAMPLEDIR)/fail2ban $(DESTDIR)$(EXAMPLEDIR)/wrap $(DESTDIR)$(EXAMPLEDIR) $(DESTDIR)$(DATADIR) \
		2>/dev/null
	@# Where a service is enabled or disabled, Debian leaves links to its init script.
	@if [ -z "$(DESTDIR)" ] && [ "$(SYSCONFDIR)" = /etc ] && command -v update-rc.d >/dev/null 2>&1; then \
		update-rc.d scanlogd remove; fi
	@if [ -z "$(DESTDIR)" ]; then rc.d/index-manuals remove $(MANDIR) $(pages); fi
	@echo "Left in place: the user and group scanlogd, /var/empty, and $(SYSCONFDIR)/default/scanlogd if you made it."
	@echo "A daemon that runs was not stopped. With systemd: systemctl disable --now scanlogd; systemctl daemon-reload"

clean:
	rm -rf .build .build-embedded .build-ordinary .build-pcap .build-raw .build-asan .build-fuzz .build-hooks \
		.build-arm64 .build-deb .needs .oracle .soak scanlogd scanlogd-arm64 scanlogd_*.deb
