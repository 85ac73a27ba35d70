# resup.dll for Windows 7 and later, built and tested on Debian.

WINDOWS = $(abspath $(TARGET))/windows

.PHONY: windows windows-tools dist-windows test-windows

windows-tools:
	$(call install-missing,x86_64-w64-mingw32-gcc:gcc-mingw-w64-x86-64-win32 \
		i686-w64-mingw32-gcc:gcc-mingw-w64-i686-win32 llvm-dlltool:llvm zip:zip)
	packaging/windows/get-rust.sh $(WINDOWS)/rust

# In target/windows/x86_64 and i686: the DLL, its .def, and import libraries for gcc and MSVC.
windows: windows-tools
	for arch in x86_64 i686; do \
		packaging/windows/build.sh $$arch $(WINDOWS)/rust $(WINDOWS)/$$arch || exit; \
	done

# What is handed out: dist/resup-VERSION-windows-x86_64.zip and -i686.zip.
dist-windows: windows
	for arch in x86_64 i686; do \
		packaging/windows/archive.sh $(WINDOWS)/$$arch resup-$(VERSION)-windows-$$arch || exit; \
	done

# The C and Pascal tests as Windows programs, in wine (64 and 32 bit; the latter needs root), against the receiver on this side.
test-windows: windows
	$(call install-missing,/usr/lib/wine/wine64:wine64 fpc:fp-compiler /usr/share/fpcsrc:fpc-source \
		$(LCL):lcl-gtk2 fpcres:fp-utils /usr/lib/lazarus/default/lcl/interfaces/win32:lazarus-src \
		Xvfb:xvfb openbox:openbox xdotool:xdotool)
	packaging/windows/get-wine32.sh $(WINDOWS)/wine32
	packaging/windows/get-fpc.sh $(WINDOWS)/fpc
	packaging/windows/get-lcl.sh $(WINDOWS)/lcl $(WINDOWS)/fpc
	$(CARGO) test --workspace --no-run
	RESUP_WINDOWS=$(WINDOWS) $(TESTS) --test windows --test pascal_windows -- --test-threads 1
