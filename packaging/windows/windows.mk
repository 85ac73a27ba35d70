# resup.dll for Windows 7 and later, built and tested on Debian.

WINDOWS = $(abspath $(TARGET))/windows

# By which cargo knows the dependencies.
WINDOWS_TARGETS = x86_64-pc-windows-gnu i686-pc-windows-gnu
# The run-time code of which is in the DLLs.
mingw-licence = $(INSTALL) -m 644 /usr/share/doc/mingw-w64-common/copyright $(1)/COPYRIGHT-mingw-w64.txt

.PHONY: windows windows-tools dist-windows test-windows

windows-tools:
	$(call install-missing,x86_64-w64-mingw32-gcc:gcc-mingw-w64-x86-64-win32 \
		i686-w64-mingw32-gcc:gcc-mingw-w64-i686-win32 llvm-dlltool:llvm zip:zip)
	packaging/windows/get-rust.sh $(WINDOWS)/rust

# In target/windows/x86_64 and i686: the DLL, its .def, and import libraries for gcc and MSVC; the jar's DLL.
windows: windows-tools
	for arch in x86_64 i686; do \
		packaging/windows/build.sh $$arch $(WINDOWS)/rust $(WINDOWS)/$$arch || exit; \
	done

# What is handed out: dist/resup-VERSION-windows-x86_64.zip and -i686.zip.
dist-windows: windows
	rm -rf $(WINDOWS)/licences
	$(call licences,$(WINDOWS)/licences,$(WINDOWS_TARGETS))
	$(call mingw-licence,$(WINDOWS)/licences)
	mkdir -p $(DIST)
	for arch in x86_64 i686; do \
		SOURCE_DATE_EPOCH=$(SOURCE_DATE_EPOCH) packaging/windows/archive.sh $(WINDOWS)/$$arch $(NAME)-windows-$$arch $(WINDOWS)/licences $(DIST) || exit; \
	done

# The C and Pascal tests as Windows programs, in wine (64 and 32 bit; the latter needs root), and the jar in a Java for
# Windows, against the receiver on this side.
test-windows: windows python
	$(call install-missing,/usr/lib/wine/wine64:wine64 fpc:fp-compiler /usr/share/fpcsrc:fpc-source \
		$(LCL):lcl-gtk2 fpcres:fp-utils /usr/lib/lazarus/default/lcl/interfaces/win32:lazarus-src \
		Xvfb:xvfb openbox:openbox xdotool:xdotool javac:openjdk-17-jdk mvn:maven unzip:unzip)
	packaging/windows/get-wine32.sh $(WINDOWS)/wine32
	packaging/windows/get-fpc.sh $(WINDOWS)/fpc
	packaging/windows/get-lcl.sh $(WINDOWS)/lcl $(WINDOWS)/fpc
	# (Newer ones call functions of Windows that wine 8 lacks.)
	$(call java-runtime,17.0.9.2,win_amd64,$(WINDOWS)/java-17)
	$(CARGO) test --workspace --no-run
	$(call native,debug)
	$(call native-dll,x86_64,x86_64)
	$(call native-dll,i686,x86)
	mvn -q -f $(JAVA) package -Dmaven.javadoc.skip
	RESUP_WINDOWS=$(WINDOWS) $(TESTS) --test windows --test pascal_windows -- --test-threads 1
