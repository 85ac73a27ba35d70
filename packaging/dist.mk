# make dist: the source and, for this machine's platform, what is built of it, as archives with their checksums in dist/.
# The same commit gives the same bytes, wherever and whenever it is built with the same tools.

DIST ?= dist
export SOURCE_DATE_EPOCH ?= $(shell git log -1 --format=%ct 2> /dev/null || stat -c %Y CHANGELOG.md)

PLATFORM = $(shell $(or $(RUSTC),rustc) -vV | sed -n 's/^host: //p')
NAME = resup-$(VERSION)
STAGE = $(abspath $(DIST))/$(NAME)-$(PLATFORM)
archive = LC_ALL=C tar --sort=name --mtime=@$(SOURCE_DATE_EPOCH) --owner=0 --group=0 --numeric-owner --mode=go=rX,u+w \
	--format=ustar -C $(1) -c $(2) | gzip -n9 >
# What has to go along with what is built.
licences = $(INSTALL) -d $(1) && $(INSTALL) -m 644 LICENSE-MIT LICENSE-APACHE $(1)/ && $(tool) notices $(1)

.PHONY: dist dist-source dist-binary

dist: dist-source dist-binary
	cd $(DIST) && sha256sum $(NAME)*.tar.gz > SHA256SUMS

# What is committed: nothing else can be had again.
dist-source:
	mkdir -p $(DIST)
	git archive --format=tar --prefix=$(NAME)/ HEAD | gzip -n9 > $(DIST)/$(NAME).tar.gz

dist-binary:
	rm -rf $(STAGE)
	$(MAKE) install DESTDIR=$(STAGE) PREFIX= PC_PREFIX='$$$${pcfiledir}/../..'
	$(call licences,$(STAGE)/share/doc/resup)
	$(INSTALL) -m 644 README.md CHANGELOG.md $(STAGE)/share/doc/resup/
	cd $(STAGE) && find * -type f -not -name SHA256SUMS | LC_ALL=C sort | xargs sha256sum > SHA256SUMS
	$(call archive,$(DIST),$(notdir $(STAGE))) $(STAGE).tar.gz
	rm -r $(STAGE)
