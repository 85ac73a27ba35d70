# What is for Windows 7 and later, built and tested on Debian.

WINDOWS = $(abspath $(TARGET))/windows
# The compiler for other systems, which packaging/get-rust.sh brings.
RUST = $(abspath $(TARGET))/rust

# By which cargo knows the dependencies.
WINDOWS_TARGETS = x86_64-pc-windows-gnu i686-pc-windows-gnu
# The run-time code of which is in the DLLs.
mingw-licence = $(INSTALL) -m 644 /usr/share/doc/mingw-w64-common/copyright $(1)/COPYRIGHT-mingw-w64.txt

.PHONY: windows windows-jni windows-tools dist-windows test-windows

windows-tools: need-windows
	packaging/get-rust.sh $(RUST)

# In target/windows/x86_64 and i686: the DLL, its .def, and import libraries for gcc and MSVC; the command and the receiver.
windows: windows-tools
	for arch in x86_64 i686; do \
		packaging/windows/build.sh $$arch $(RUST) $(WINDOWS)/$$arch library command receiver || exit; \
	done

# The jar's DLLs.
windows-jni: windows-tools
	for arch in x86_64 i686; do \
		packaging/windows/build.sh $$arch $(RUST) $(WINDOWS)/$$arch jni || exit; \
	done

# What is handed out: dist/resup-VERSION-windows-x86_64.zip and -i686.zip.
dist-windows: windows
	rm -rf $(WINDOWS)/licences
	$(call licences,$(WINDOWS)/licences,$(WINDOWS_TARGETS))
	$(call mingw-licence,$(WINDOWS)/licences)
	mkdir -p $(DIST)
	for arch in x86_64 i686; do \
		packaging/windows/stage.sh $$arch $(WINDOWS)/$$arch $(WINDOWS)/licences $(DIST)/$(NAME)-windows-$$arch || exit; \
		$(tool) unlink $(DIST)/$(NAME)-windows-$$arch || exit; \
		SOURCE_DATE_EPOCH=$(SOURCE_DATE_EPOCH) packaging/windows/archive.sh $(DIST)/$(NAME)-windows-$$arch || exit; \
	done

# C, C++ and Pascal programs, the command and the receiver for Windows, in wine (64 and 32 bit; the latter needs root), the jar in
# a Java for Windows, and what the archive's README says.
test-windows: need-wine dist-windows windows-jni python java-natives
	packaging/windows/get-wine32.sh $(WINDOWS)/wine32
	packaging/windows/get-fpc.sh $(WINDOWS)/fpc
	packaging/windows/get-lcl.sh $(WINDOWS)/lcl $(WINDOWS)/fpc
	# (Newer ones call functions of Windows that wine 8 lacks.)
	$(call java-runtime,17.0.9.2,win_amd64,$(WINDOWS)/java-17)
	$(CARGO) test --workspace --no-run
	$(call native-dll,x86_64,x86_64)
	$(call native-dll,i686,x86)
	mvn -q -f $(JAVA) package -Dmaven.javadoc.skip
	RESUP_WINDOWS=$(WINDOWS) RESUP_DIST=$(abspath $(DIST)) $(TESTS) --test windows --test pascal_windows -- --test-threads 1
