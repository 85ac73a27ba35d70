# make deb: packages for Debian and what is made of it, in dist/: libresup with its ABI, libresup-dev, and resup, the
# command. As for `make dist`, the same commit gives the same bytes.

MULTIARCH = $(shell dpkg-architecture -qDEB_HOST_MULTIARCH)
DEB = $(abspath $(DIST))/deb

.PHONY: deb

deb: need-deb
	rm -rf $(DEB)
	$(MAKE) install PROFILE=$(DIST_PROFILE) DESTDIR=$(DEB)/libresup-dev PREFIX=/usr LIBDIR=/usr/lib/$(MULTIARCH)
	$(call licences,$(DEB)/licences)
	SOURCE_DATE_EPOCH=$(SOURCE_DATE_EPOCH) packaging/debian/build.sh $(DEB) $(VERSION) $(ABI)
	mv $(DEB)/*.deb $(DIST)/
	rm -r $(DEB)
