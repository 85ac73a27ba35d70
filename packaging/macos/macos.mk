# macOS: the universal library and programs, which only a Mac can link, and a check on Debian that all of it compiles for
# one. Nobody has run any of it on a Mac yet.

MACOS = $(abspath $(TARGET))/macos
MACOS_TARGETS = aarch64-apple-darwin x86_64-apple-darwin
macos-build = RUSTFLAGS="$$RUSTFLAGS $(remap)" $(CARGO) rustc --locked --profile dist
MACOS_FILES = libresup.dylib libresup.a resup resup-receiver

.PHONY: macos check-macos

# In target/macos, for both processors in one file each. `make install INSTALL=ginstall
# BUILT=$PWD/target/macos` installs them (with the install of GNU coreutils).
macos:
	@[ "$$(uname)" = Darwin ] || { echo "make macos: this is $$(uname), and only a Mac has the linker and the frameworks" \
		"Security and CoreFoundation: run it there, with Xcode's command line tools and rustup; here 'make check-macos'" \
		"checks that it compiles"; exit 1; }
	rustup target add $(MACOS_TARGETS)
	for target in $(MACOS_TARGETS); do \
		$(macos-build) --target $$target -p resup --lib --crate-type cdylib && \
		$(macos-build) --target $$target -p resup --lib --crate-type staticlib && \
		$(macos-build) --target $$target -p resup-cli --bin resup && \
		$(macos-build) --target $$target -p resup-receiver --bin resup-receiver || exit; \
	done
	mkdir -p $(MACOS)
	for file in $(MACOS_FILES); do \
		lipo -create $(MACOS_TARGETS:%=$(abspath $(TARGET))/%/dist/$$file) -output $(MACOS)/$$file || exit; \
	done

# Whether library, command and receiver compile for a Mac; nothing is linked.
check-macos: linux-tools
	for target in $(MACOS_TARGETS); do \
		packaging/macos/check.sh $$target $(RUST) $(LINUX)/tools $(MACOS)/check || exit; \
	done
