# make install: the library for C and C++, where their tools look for it. PREFIX, DESTDIR and the like are the usual
# ones; BUILT names a directory with libraries that are there already.

PREFIX ?= /usr/local
LIBDIR ?= $(PREFIX)/lib
INCLUDEDIR ?= $(PREFIX)/include
BINDIR ?= $(PREFIX)/bin
MANDIR ?= $(PREFIX)/share/man
INSTALL ?= install

VERSION := $(shell awk -F'"' '/^version/ { print $$2; exit }' Cargo.toml)
CMAKEDIR = $(LIBDIR)/cmake/resup
BUILT ?= $(abspath $(TARGET))/dist

# What a program has to link besides the static library. (rustc replaces the file that it writes, whatever that is.)
native-libs = $(shell dir=$$(mktemp -d) && echo | $(or $(RUSTC),rustc) --crate-type staticlib --crate-name empty \
	--print native-static-libs --out-dir $$dir - 2>&1 | sed -n 's/.*native-static-libs: //p'; rm -r $$dir)
# As resup.pc has it, so that the installed tree may be moved.
below = $(patsubst $(PREFIX)/%,$${prefix}/%,$(1))
from-cmake = $(shell realpath -m --relative-to=$(CMAKEDIR) $(1))
fill = sed -e 's|@PREFIX@|$(PREFIX)|; s|@LIBDIR@|$(call below,$(LIBDIR))|; s|@INCLUDEDIR@|$(call below,$(INCLUDEDIR))|' \
	-e 's|@VERSION@|$(VERSION)|; s|@ABI@|$(ABI)|; s|@NATIVE_LIBS@|$(call native-libs)|' \
	-e 's|@TO_INCLUDE@|$(call from-cmake,$(INCLUDEDIR))|; s|@TO_LIB@|$(call from-cmake,$(LIBDIR))|' \
	-e "s|@POINTER_SIZE@|$$(expr $$(getconf LONG_BIT) / 8)|"

.PHONY: install uninstall dist-lib

# Small, and slow to build. Each kind alone: together they would be a quarter larger.
dist-lib:
	$(CARGO) rustc --profile dist -p resup --lib --crate-type cdylib
	$(CARGO) rustc --profile dist -p resup --lib --crate-type staticlib

ifeq ($(origin BUILT),file)
install: dist-lib
endif
install:
	$(INSTALL) -d $(DESTDIR)$(LIBDIR)/pkgconfig $(DESTDIR)$(CMAKEDIR) $(DESTDIR)$(INCLUDEDIR)/resup
	$(INSTALL) -m 644 include/resup.h $(DESTDIR)$(INCLUDEDIR)/
	$(INSTALL) -m 644 bindings/cpp/include/resup/*.hpp $(DESTDIR)$(INCLUDEDIR)/resup/
	$(INSTALL) -m 755 $(BUILT)/libresup.so $(DESTDIR)$(LIBDIR)/libresup.so.$(VERSION)
	ln -sf libresup.so.$(VERSION) $(DESTDIR)$(LIBDIR)/libresup.so.$(ABI)
	ln -sf libresup.so.$(ABI) $(DESTDIR)$(LIBDIR)/libresup.so
	$(INSTALL) -m 644 $(BUILT)/libresup.a $(DESTDIR)$(LIBDIR)/
	$(fill) packaging/resup.pc.in > $(DESTDIR)$(LIBDIR)/pkgconfig/resup.pc
	$(fill) packaging/cmake/resup-config.cmake.in > $(DESTDIR)$(CMAKEDIR)/resup-config.cmake
	$(fill) packaging/cmake/resup-config-version.cmake.in > $(DESTDIR)$(CMAKEDIR)/resup-config-version.cmake

uninstall:
	rm -f $(DESTDIR)$(INCLUDEDIR)/resup.h $(DESTDIR)$(LIBDIR)/libresup.so $(DESTDIR)$(LIBDIR)/libresup.so.$(ABI) \
		$(DESTDIR)$(LIBDIR)/libresup.so.$(VERSION) $(DESTDIR)$(LIBDIR)/libresup.a \
		$(DESTDIR)$(LIBDIR)/pkgconfig/resup.pc
	rm -rf $(DESTDIR)$(CMAKEDIR) $(DESTDIR)$(INCLUDEDIR)/resup
