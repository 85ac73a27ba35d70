# make install-receiver: the receiver, its manual page and completions, its units for systemd with their system user, and its
# settings, which stay as they are if they are there. Where there is no cargo, what `make dist-receiver` has built before is
# installed. Then, as root: systemd-sysusers && systemctl daemon-reload && systemctl enable --now resup-receiver

SYSCONFDIR ?= /etc
SYSTEMDDIR ?= $(PREFIX)/lib/systemd/system
SYSUSERSDIR ?= $(PREFIX)/lib/sysusers.d
SETTINGS = $(DESTDIR)$(SYSCONFDIR)/resup-receiver

.PHONY: install-receiver uninstall-receiver dist-receiver receiver-pages

ifeq ($(PROFILE),release)
dist-receiver: receiver
	$(MAKE) receiver-pages
else
dist-receiver:
	$(build) -p resup-receiver --bin resup-receiver
	$(MAKE) receiver-pages
endif

receiver-pages:
	$(INSTALL) -d $(EXTRAS)
	$(call make-pages,resup-receiver)

ifneq ($(shell command -v $(CARGO)),)
install-receiver: $(if $(filter file,$(origin BUILT)),dist-receiver,receiver-pages)
endif
install-receiver:
	@[ -e $(EXTRAS)/resup-receiver.1 ] || { echo "nothing is built yet: run 'make dist-receiver' as the user who has cargo"; exit 1; }
	$(INSTALL) -d $(DESTDIR)$(BINDIR) $(DESTDIR)$(SYSTEMDDIR) $(DESTDIR)$(SYSUSERSDIR) $(SETTINGS)
	$(INSTALL) -m 755 $(BUILT)/resup-receiver $(DESTDIR)$(BINDIR)/
	$(call install-pages,resup-receiver)
	sed 's|/usr/local/bin|$(BINDIR)|' packaging/receiver/resup-receiver.service > $(DESTDIR)$(SYSTEMDDIR)/resup-receiver.service
	chmod 644 $(DESTDIR)$(SYSTEMDDIR)/resup-receiver.service
	$(INSTALL) -m 644 packaging/receiver/resup-receiver.socket $(DESTDIR)$(SYSTEMDDIR)/
	$(INSTALL) -m 644 packaging/receiver/sysusers.conf $(DESTDIR)$(SYSUSERSDIR)/resup-receiver.conf
	[ -e $(SETTINGS)/config.toml ] || $(INSTALL) -m 644 packaging/receiver/config.toml $(SETTINGS)/

# (The settings stay.)
uninstall-receiver:
	rm -f $(DESTDIR)$(BINDIR)/resup-receiver $(DESTDIR)$(SYSTEMDDIR)/resup-receiver.service \
		$(DESTDIR)$(SYSTEMDDIR)/resup-receiver.socket $(DESTDIR)$(SYSUSERSDIR)/resup-receiver.conf $(call pages-of,resup-receiver)
