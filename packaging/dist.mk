# make dist: the source, what is built of it for Linux and for Windows, and the jar, as archives with their checksums in dist/
# (and by DIST_KINDS=binary what is built with this machine's own tools, for systems like it). The same commit gives the same
# bytes, wherever and whenever it is built with the same tools
# (what has DLLs in it: in the same place, see windows/build.sh).

DIST ?= dist
# (Not for cargo, which would build C code anew after each commit.)
SOURCE_DATE_EPOCH ?= $(shell git log -1 --format=%ct 2> /dev/null || stat -c %Y CHANGELOG.md)

PLATFORM = $(shell $(or $(RUSTC),rustc) -vV | sed -n 's/^host: //p')
NAME = resup-$(VERSION)
STAGE = $(abspath $(DIST))/$(NAME)-$(PLATFORM)
# What has to go along with what is built; for which targets, if not for this machine's.
licences = $(INSTALL) -d $(1) && $(INSTALL) -m 644 LICENSE-MIT LICENSE-APACHE $(1)/ && $(tool) notices $(1) $(2)
DIST_KINDS ?= source linux windows java sbom
# What goes beside that: beside DIRECTORY,TARGET
define beside
	$(call licences,$(1)/share/doc/resup,$(2))
	$(INSTALL) -m 644 README.md CHANGELOG.md docs/LINUX.md $(1)/share/doc/resup/
	$(INSTALL) -D -m 644 -t $(1)/share/resup/delphi bindings/delphi/src/*.pas
endef
# Makes an archive of a directory, with its checksums, in place of it.
define pack
	cd $(1) && find * -type f -not -name SHA256SUMS | LC_ALL=C sort | xargs sha256sum > SHA256SUMS
	LC_ALL=C tar --sort=name --mtime=@$(SOURCE_DATE_EPOCH) --owner=0 --group=0 --numeric-owner --mode=go=rX,u+w \
		--format=ustar -C $(dir $(1)) -cf $(1).tar $(notdir $(1))
	gzip -n9f $(1).tar
	rm -r $(1)
endef

.PHONY: dist dist-source dist-binary dist-java dist-sbom sbom-tool dist-licences

dist:
	rm -rf $(DIST)/$(NAME)* $(DIST)/SHA256SUMS
	$(MAKE) $(DIST_KINDS:%=dist-%)
	cd $(DIST) && find $(NAME)* -type f | LC_ALL=C sort | xargs sha256sum > SHA256SUMS

# What is committed: nothing else can be had again.
dist-source: need-dist
	git diff --quiet HEAD || { echo "what is built and what is committed would differ: commit first"; exit 1; }
	mkdir -p $(DIST)
	git archive --format=tar --prefix=$(NAME)/ --output $(DIST)/$(NAME).tar HEAD
	gzip -n9f $(DIST)/$(NAME).tar

dist-binary:
	rm -rf $(STAGE)
	$(MAKE) install PROFILE=$(DIST_PROFILE) DESTDIR=$(STAGE) PREFIX= PC_PREFIX='$$$${pcfiledir}/../..'
	$(call beside,$(STAGE))
	$(call pack,$(STAGE))

# What is in it, as CycloneDX has it: for each product the crates that it is made of, on all platforms together. The
# tool writes beside the manifests, so it gets a copy of what is committed; where that is, is left out.
PRODUCTS = resup:library resup-cli:command resup-receiver:receiver resup-jni:java
CYCLONEDX = $(abspath $(TARGET))/cyclonedx
SBOM = $(abspath $(TARGET))/sbom

sbom-tool:
	[ -x $(CYCLONEDX)/bin/cargo-cyclonedx ] || $(CARGO) install -q --locked --root $(CYCLONEDX) cargo-cyclonedx@0.5.9

dist-sbom: need-dist sbom-tool
	rm -rf $(SBOM)
	mkdir -p $(SBOM) $(DIST)
	git archive HEAD | tar -x -C $(SBOM)
	SOURCE_DATE_EPOCH=$(SOURCE_DATE_EPOCH) $(CYCLONEDX)/bin/cargo-cyclonedx cyclonedx -q --manifest-path $(SBOM)/Cargo.toml \
		--format json --spec-version 1.5 --target all --all
	for product in $(PRODUCTS); do \
		find $(SBOM) -name $${product%:*}.cdx.json -exec sed 's|$(SBOM)|/resup|g' {} + \
			> $(DIST)/$(NAME)-$${product#*:}.cdx.json && [ -s $(DIST)/$(NAME)-$${product#*:}.cdx.json ] || exit; \
	done
	rm -r $(SBOM)

# For recipes of packages: LICENCES=DIRECTORY.
dist-licences:
	$(call licences,$(LICENCES))

# One for all platforms, its sources and its Javadoc.
dist-java: java
	mkdir -p $(DIST)
	$(INSTALL) -m 644 $(JAVA)/target/$(NAME)*.jar $(DIST)/
