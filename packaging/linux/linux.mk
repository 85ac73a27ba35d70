# The libraries and programs for Linux as they are handed out, for this and other machines, built on Debian by
# linux/build.sh: with glibc from 2.17 on, or with musl.

LINUX = $(abspath $(TARGET))/linux
PLATFORMS ?= x86_64-linux-gnu aarch64-linux-gnu i686-linux-gnu x86_64-linux-musl aarch64-linux-musl

.PHONY: linux linux-tools linux-roots linux-pages dist-linux test-linux $(PLATFORMS:%=dist-%)

linux-tools: need-linux
	packaging/get-rust.sh $(RUST)
	[ -e $(LINUX)/tools/ready ] || { python3 -m venv $(LINUX)/tools && \
		$(LINUX)/tools/bin/pip install -q cargo-zigbuild==0.24.1 ziglang==0.17.1 && touch $(LINUX)/tools/ready; }

# In target/linux/PLATFORM: the library, shared and static, the jar's, and with musl the programs. PLATFORMS="…" takes some.
linux: linux-tools
	for platform in $(PLATFORMS); do \
		packaging/linux/build.sh $$platform $(RUST) $(LINUX) $(ABI) || exit; \
	done

# What is handed out: dist/resup-VERSION-PLATFORM.tar.gz.
dist-linux: linux $(PLATFORMS:%=dist-%)

# The programs of a platform with glibc are the static ones, where there are any. Those that run here print their pages.
static = $(LINUX)/$(firstword $(subst -, ,$(1)))-linux-musl
PAGES_HERE = $(call static,$(shell uname -m)-)

$(PLATFORMS:%=dist-%): dist-%:
	rm -rf $(abspath $(DIST))/$(NAME)-$*
	$(tool) man include/resup.h $(LINUX)/$*/man3
	$(if $(call programs,$*),$(MAKE) linux-pages BUILT=$(PAGES_HERE) EXTRAS=$(LINUX)/$*)
	$(MAKE) install-files DESTDIR=$(abspath $(DIST))/$(NAME)-$* PREFIX= PC_PREFIX='$$$${pcfiledir}/../..' EXTRAS=$(LINUX)/$* \
		BITS=$(if $(filter i686%,$*),32,64) BUILT=$(call static,$*) PROGRAMS="$(call programs,$*)"
	$(call beside,$(abspath $(DIST))/$(NAME)-$*,$(call rust-target,$*))
	$(call zig-licences,$(abspath $(DIST))/$(NAME)-$*/share/doc/resup)
	$(call pack,$(abspath $(DIST))/$(NAME)-$*)

programs = $(notdir $(wildcard $(addprefix $(call static,$(1))/,resup resup-receiver)))

linux-pages:
	@[ -x $(BUILT)/resup ] || { echo "$(BUILT)/resup would print its pages: have $(notdir $(BUILT)) among PLATFORMS"; exit 1; }
	$(call make-pages,resup)
	$(call make-pages,resup-receiver)

# By which cargo knows a platform.
rust-target = $(subst -linux-,-unknown-linux-,$(1))
# The code of zig's that is in the libraries (an unwinder) and in the programs (musl's C library).
ZIG = $(wildcard $(LINUX)/tools/lib/python3*/site-packages/ziglang)
define zig-licences
	$(INSTALL) -m 644 $(ZIG)/lib/libunwind/LICENSE.TXT $(1)/LICENSE-libunwind.txt
	$(INSTALL) -m 644 $(ZIG)/lib/libc/musl/COPYRIGHT $(1)/COPYRIGHT-musl.txt
	$(INSTALL) -m 644 $(ZIG)/LICENSE $(1)/LICENSE-zig.txt
endef

# Systems to run them in.
linux-roots: need-linux-roots
	packaging/linux/get-roots.sh $(LINUX)/roots

# The artefacts as files, and run: on this system, in a Debian 11, with the C libraries of the other platforms, and in qemu
# (of which some needs root). Then tests of the command and of the receiver with the static ones.
STATIC = $(LINUX)/x86_64-linux-musl
STATIC_TESTS = accounts directories exits hooks kills network pages several signals stdin terminal uploads verify

test-linux: need-test linux-roots
	$(MAKE) dist-linux DIST=$(LINUX)/dist
	$(CARGO) test --workspace --no-run
	RESUP_LINUX=$(LINUX) RESUP_PLATFORMS="$(PLATFORMS)" $(TESTS) --test platforms -- --test-threads 2
	$(if $(filter $(notdir $(STATIC)),$(PLATFORMS)),RESUP_COMMAND=$(STATIC)/resup \
		$(patsubst RESUP_RECEIVER=%,RESUP_RECEIVER=$(STATIC)/resup-receiver,$(TESTS)) $(STATIC_TESTS:%=--test %),\
		@echo "PLATFORMS has no $(notdir $(STATIC)): its programs are not tested")
