# make deb: packages for Debian and what is made of it, in dist/: libresup with its ABI, libresup-dev, resup, the command, and
# resup-receiver, the service. As for `make dist`, the same commit gives the same bytes. DEB_ARCHES="amd64 arm64" makes them for
# these architectures: for another one than this machine's, of what `make linux` builds.

DEB = $(abspath $(DIST))/deb
DEB_NATIVE = $(shell dpkg --print-architecture)
DEB_ARCHES ?= $(DEB_NATIVE)
processor-amd64 = x86_64
processor-arm64 = aarch64

.PHONY: deb deb-amd64 deb-arm64

deb: $(DEB_ARCHES:%=deb-%)

deb-amd64 deb-arm64: deb-%: need-deb
	rm -rf $(DEB)
	$(MAKE) install PROFILE=$(DIST_PROFILE) DESTDIR=$(DEB)/debian/libresup-dev PREFIX=/usr LIBDIR=/usr/lib/$(processor-$*)-linux-gnu
	$(MAKE) install-receiver PROFILE=$(DIST_PROFILE) DESTDIR=$(DEB)/debian/resup-receiver PREFIX=/usr
	$(if $(filter $*,$(DEB_NATIVE)),,$(call deb-foreign,$(processor-$*)))
	$(call licences,$(DEB)/licences)
	dpkg-architecture -a$* -f -c "SOURCE_DATE_EPOCH=$(SOURCE_DATE_EPOCH) packaging/debian/build.sh $(DEB) $(VERSION) $(ABI)"
	mv $(DEB)/*.deb $(DIST)/
	rm -r $(DEB)

# Puts what is built for another processor in the place of this machine's: the libraries, and the static programs.
define deb-foreign
	$(MAKE) linux PLATFORMS="$(1)-linux-gnu $(1)-linux-musl"
	$(INSTALL) $(abspath $(TARGET))/linux/$(1)-linux-gnu/libresup.so $(DEB)/debian/libresup-dev/usr/lib/$(1)-linux-gnu/libresup.so.$(VERSION)
	$(INSTALL) -m 644 $(abspath $(TARGET))/linux/$(1)-linux-gnu/libresup.a $(DEB)/debian/libresup-dev/usr/lib/$(1)-linux-gnu/
	$(INSTALL) $(abspath $(TARGET))/linux/$(1)-linux-musl/resup $(DEB)/debian/libresup-dev/usr/bin/
	$(INSTALL) $(abspath $(TARGET))/linux/$(1)-linux-musl/resup-receiver $(DEB)/debian/resup-receiver/usr/bin/
endef
