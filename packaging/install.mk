# make install: the library for C and C++, where their tools look for it, the command resup with its completions, and the
# manual pages of both. PREFIX, DESTDIR and the like are the usual ones; BUILT names a directory where all is built
# already. Where there is no cargo (it seldom is root's) what `make dist-lib` has built before is installed.

PREFIX ?= /usr/local
LIBDIR ?= $(PREFIX)/lib
INCLUDEDIR ?= $(PREFIX)/include
BINDIR ?= $(PREFIX)/bin
MANDIR ?= $(PREFIX)/share/man
INSTALL ?= install

VERSION := $(shell awk -F'"' '/^version/ { print $$2; exit }' Cargo.toml)
CMAKEDIR = $(LIBDIR)/cmake/resup
# The names of the shared library: as it is built, as programs ask for it, and with all of its version.
ifeq ($(shell uname),Darwin)
SHARED_NAMES = libresup.dylib libresup.$(ABI).dylib libresup.$(VERSION).dylib
# Names have no versions there.
KINDS = cdylib staticlib
link-shared = cp $(BUILT)/libresup.dylib $(EXTRAS)/
else
SHARED_NAMES = libresup.so libresup.so.$(ABI) libresup.so.$(VERSION)
KINDS = staticlib
link-shared = packaging/shared.sh $(BUILT)/libresup.a $(EXTRAS)/libresup.so $(ABI) -s
endif
shared = $(word $(1),$(SHARED_NAMES))
# dist is what is handed out: smaller, and slow to build.
PROFILE ?= release
DIST_PROFILE = $(if $(filter file,$(origin PROFILE)),dist,$(PROFILE))
BUILT ?= $(abspath $(TARGET))/$(PROFILE:dev=debug)
# What is made of that.
EXTRAS ?= $(BUILT)/extras

# The manual page and the completions of a program, which it prints itself: made in EXTRAS, installed, and their places.
make-pages = export LC_ALL=C && $(BUILT)/$(1) man > $(EXTRAS)/$(1).1 && for shell in bash zsh fish; do \
	$(BUILT)/$(1) completions $$shell > $(EXTRAS)/$(1).$$shell || exit; done
pages-of = $(DESTDIR)$(MANDIR)/man1/$(1).1 $(DESTDIR)$(PREFIX)/share/bash-completion/completions/$(1) \
	$(DESTDIR)$(PREFIX)/share/zsh/site-functions/_$(1) $(DESTDIR)$(PREFIX)/share/fish/vendor_completions.d/$(1).fish
install-pages = set -- $(call pages-of,$(1)) && for page in 1 bash zsh fish; do \
	$(INSTALL) -D -m 644 $(EXTRAS)/$(1).$$page $$1 && shift || exit; done

PROGRAMS ?= resup
# The bits of a pointer.
BITS ?= $(shell getconf LONG_BIT)

# What the prefix is to pkg-config.
PC_PREFIX ?= $(PREFIX)
# As resup.pc has it, so that the installed tree may be moved.
below = $(patsubst $(PREFIX)/%,$${prefix}/%,$(1))
from-cmake = $(shell realpath -m --relative-to=$(CMAKEDIR) $(1) 2> /dev/null || \
	python3 -c 'import os, sys; print(os.path.relpath(*sys.argv[1:]))' $(1) $(CMAKEDIR))
fill = umask 022 && sed -e 's|@PREFIX@|$(PC_PREFIX)|; s|@LIBDIR@|$(call below,$(LIBDIR))|; s|@INCLUDEDIR@|$(call below,$(INCLUDEDIR))|' \
	-e 's|@VERSION@|$(VERSION)|; s|@ABI@|$(ABI)|' -e "s|@NATIVE_LIBS@|$$(cat $(EXTRAS)/native-libs)|" \
	-e 's|@TO_INCLUDE@|$(call from-cmake,$(INCLUDEDIR))|; s|@TO_LIB@|$(call from-cmake,$(LIBDIR))|' \
	-e "s|@POINTER_SIZE@|$$(expr $(BITS) / 8)|"

.PHONY: install install-files uninstall dist-lib dist-extras

# No path of this machine gets into what is built.
remap = --remap-path-prefix=$(CURDIR)=/resup --remap-path-prefix=$(abspath $(TARGET))=/target \
	--remap-path-prefix=$(or $(CARGO_HOME),$(HOME)/.cargo)=/cargo
build = RUSTFLAGS="$$RUSTFLAGS $(remap)" $(CARGO) rustc --locked --profile $(PROFILE)
tool = $(CARGO) run --locked --quiet -p resup-packaging --

# What is installed. In the profile release it is what `make lib cli` builds, or has built. Else it is small: each kind alone,
# since together they would be a quarter larger.
ifeq ($(PROFILE),release)
dist-lib: lib cli
	$(MAKE) dist-extras
else
dist-lib:
	for kind in $(KINDS); do $(build) -p resup --lib --crate-type $$kind || exit; done
	$(build) -p resup-cli --bin resup
	$(MAKE) dist-extras
endif

# Manual pages, the shared library, the static one for others' programs, and what these have to link besides. (rustc
# replaces the file that it writes, whatever that is.)
dist-extras:
	$(INSTALL) -d $(EXTRAS)
	$(tool) man include/resup.h $(EXTRAS)/man3
	$(call make-pages,resup)
	$(call link-shared)
	packaging/only-ours.sh $(BUILT)/libresup.a $(EXTRAS)/libresup.a
	dir=$$(mktemp -d) && echo | $(or $(RUSTC),rustc) --crate-type staticlib --crate-name empty --print native-static-libs \
		--out-dir $$dir - 2>&1 | sed -n 's/.*native-static-libs: //p' > $(EXTRAS)/native-libs; rm -r $$dir
	test -s $(EXTRAS)/native-libs

ifneq ($(shell command -v $(CARGO)),)
install: $(if $(filter file,$(origin BUILT)),dist-lib,dist-extras)
endif
install: install-files

# What is built already.
install-files:
	@[ -e $(EXTRAS)/native-libs ] || { echo "nothing is built yet: run 'make dist-lib' as the user who has cargo"; exit 1; }
	$(INSTALL) -d $(DESTDIR)$(LIBDIR)/pkgconfig $(DESTDIR)$(CMAKEDIR) $(DESTDIR)$(INCLUDEDIR)/resup \
		$(DESTDIR)$(BINDIR) $(DESTDIR)$(MANDIR)/man3
	$(INSTALL) -m 644 include/resup.h $(DESTDIR)$(INCLUDEDIR)/
	$(INSTALL) -m 644 bindings/cpp/include/resup/*.hpp $(DESTDIR)$(INCLUDEDIR)/resup/
	$(INSTALL) -m 755 $(EXTRAS)/$(call shared,1) $(DESTDIR)$(LIBDIR)/$(call shared,3)
	ln -sf $(call shared,3) $(DESTDIR)$(LIBDIR)/$(call shared,2)
	ln -sf $(call shared,2) $(DESTDIR)$(LIBDIR)/$(call shared,1)
	$(INSTALL) -m 644 $(EXTRAS)/libresup.a $(DESTDIR)$(LIBDIR)/
	$(fill) packaging/resup.pc.in > $(DESTDIR)$(LIBDIR)/pkgconfig/resup.pc
	$(fill) packaging/cmake/resup-config.cmake.in > $(DESTDIR)$(CMAKEDIR)/resup-config.cmake
	$(fill) packaging/cmake/resup-config-version.cmake.in > $(DESTDIR)$(CMAKEDIR)/resup-config-version.cmake
	$(foreach program,$(PROGRAMS),$(INSTALL) -m 755 $(BUILT)/$(program) $(DESTDIR)$(BINDIR)/ && $(call install-pages,$(program)) &&) :
	$(INSTALL) -m 644 $(EXTRAS)/man3/*.3 $(DESTDIR)$(MANDIR)/man3/

uninstall:
	rm -f $(DESTDIR)$(INCLUDEDIR)/resup.h $(SHARED_NAMES:%=$(DESTDIR)$(LIBDIR)/%) $(DESTDIR)$(LIBDIR)/libresup.a \
		$(DESTDIR)$(LIBDIR)/pkgconfig/resup.pc $(DESTDIR)$(BINDIR)/resup $(call pages-of,resup) \
		$(DESTDIR)$(MANDIR)/man3/resup.3 $(DESTDIR)$(MANDIR)/man3/resup_*.3
	rm -rf $(DESTDIR)$(CMAKEDIR) $(DESTDIR)$(INCLUDEDIR)/resup
