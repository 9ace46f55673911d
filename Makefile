#: make            builds epmd
#: make small      builds epmd-small, the smallest with the system's C library
#: make static     builds epmd-static, which needs no other file
#: make image      an image of it for docker, podman and skopeo
#: make install    installs epmd and epmd(8) below PREFIX (/usr/local)
#: make uninstall  removes them
#: make check      runs the quick tests, three minutes; FULL=1 make check all
#: make lint       strict compilers, analysers, shellcheck, the manual page
#: make real       tries Erlang, RabbitMQ, ejabberd, Elixir and others with it
#: make inits      tries it under real inits, in packages and containers
#: make fuzz       fuzzes each target for a minute
#: make soak       a minute of mixed load, each answer checked
#: make prove      proves with Frama-C what t/prove/README.md says
#: make matrix     builds it by other compilers and for other machines
#: make bench      measures it beside OTP's epmd
#: make dist       makes a tar file of the source
#: make clean      removes what was built
#: make help       prints this
#
# GNU make and BSD make.

CC ?= cc
CFLAGS ?= -O2
PREFIX ?= /usr/local
BINDIR ?= $(PREFIX)/bin
MANDIR ?= $(PREFIX)/share/man

VERSION = $$(sed -n 's/^.define EPMD_VERSION "\(.*\)"/\1/p' epmd.h)
BUILD = $(CC) -std=c99 $(CPPFLAGS) $(CFLAGS) $(LDFLAGS)

all: epmd

epmd: epmd.c epmd.h
	$(BUILD) -o $@ epmd.c $(LDLIBS)

# As small as it gets: epmd-small with the system's C library, epmd-static with none beside it, for
# an empty container image or a device. It looks no host names up: `make static NAMES=` has that
# back, and is a third larger. HARDEN=1 makes it position-independent, with its relocations
# read-only and a guard on the stack, for some 10 kB. Both are made anew each time, as CC or
# CPPFLAGS may be others. Without common-page-size, ld fills a page of the file with nothing
# wherever that saves one of memory.
SMALL = -Os -ffunction-sections -fno-asynchronous-unwind-tables -s \
	-Wl,--gc-sections,-z,noseparate-code
NAMES = -DEPMD_NO_RESOLVER

small: epmd-small

epmd-small: epmd.c epmd.h
	$(CC) -std=c99 $(CPPFLAGS) $(SMALL),-z,now $(LDFLAGS) -o $@ epmd.c $(LDLIBS)

static: epmd-static

# The compiler is CC if that is set on the command line or in the environment, both of which make
# hands on to the shell, else musl's where there is one. musl-gcc does not know -static-pie, and is
# told what to link in other words.
epmd-static: epmd.c epmd.h
	cc=$${CC:-$$(command -v musl-gcc || echo "$(CC)")}; \
	musl=$$($$cc -v 2>&1 | sed -n 's,^Reading specs from \(.*\)/musl-gcc.specs$$,\1,p'); \
	pie="$${musl:+-static -Wl,-pie,--no-dynamic-linker -nostartfiles $$musl/rcrt1.o}"; \
	case "$(HARDEN)" in \
	'') how='-fno-pie -static -Wl,-z,norelro,-z,common-page-size=16' ;; \
	*) how="-fPIE -fstack-protector-strong -Wl,-z,relro,-z,now $${pie:--static-pie}" ;; \
	esac; \
	$$cc -std=c99 $(CPPFLAGS) $(NAMES) $(SMALL) $$how $(LDFLAGS) -o $@ epmd.c $(LDLIBS)

# epmd-static alone in an image for docker, podman and skopeo; of another machine's, with CC.
image: epmd-static
	contrib/docker/image epmd-static "$(VERSION)" epmd-image.tar

check:
	t/deps
	$(MAKE) all
	t/run

lint: all
	t/lint

bench fuzz inits prove real: all
	t/$@/run

matrix soak: all
	t/$@

install: all
	mkdir -p $(DESTDIR)$(BINDIR) $(DESTDIR)$(MANDIR)/man8
	install -m 755 epmd $(DESTDIR)$(BINDIR)/epmd
	install -m 644 epmd.8 $(DESTDIR)$(MANDIR)/man8/epmd.8

uninstall:
	rm -f $(DESTDIR)$(BINDIR)/epmd $(DESTDIR)$(MANDIR)/man8/epmd.8

# A tar file named by the version: in a git repository of what it keeps, in the tree that such a tar
# file was unpacked to of the same files.
SOURCES = .ci .gitignore CHANGES LICENSE Makefile README.md contrib epmd.8 epmd.c epmd.h

dist:
	v=epmd-$(VERSION); d=t/build/$$v; \
	if [ -e .git ]; then git archive --format=tar.gz --prefix=$$v/ -o $$v.tar.gz HEAD; else \
	    rm -rf $$d && mkdir -p $$d/t && cp -Rp $(SOURCES) $$d && \
	    for f in t/*; do [ $$f = t/build ] || cp -Rp $$f $$d/t; done && \
	    tar -C t/build -czf $$v.tar.gz $$v && rm -rf $$d; \
	fi

clean:
	rm -rf epmd epmd-small epmd-static epmd-image.tar epmd-*.tar.gz t/build

help:
	@sed -n 's/^#: //p' Makefile

.PHONY: all help small epmd-small static epmd-static image check lint bench fuzz inits prove real \
	matrix soak install uninstall dist clean
