# make deb: packages for Debian and what is made of it, in dist/: libresup with its ABI, libresup-dev, resup, the command, and
# resup-receiver, the service. As for `make dist`, the same commit gives the same bytes.

MULTIARCH = $(shell dpkg-architecture -qDEB_HOST_MULTIARCH)
DEB = $(abspath $(DIST))/deb

.PHONY: deb

deb: need-deb
	rm -rf $(DEB)
	$(MAKE) install PROFILE=$(DIST_PROFILE) DESTDIR=$(DEB)/debian/libresup-dev PREFIX=/usr LIBDIR=/usr/lib/$(MULTIARCH)
	$(MAKE) install-receiver PROFILE=$(DIST_PROFILE) DESTDIR=$(DEB)/debian/resup-receiver PREFIX=/usr
	$(call licences,$(DEB)/licences)
	SOURCE_DATE_EPOCH=$(SOURCE_DATE_EPOCH) packaging/debian/build.sh $(DEB) $(VERSION) $(ABI)
	mv $(DEB)/*.deb $(DIST)/
	rm -r $(DEB)
