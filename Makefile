# Holden. `make help` lists the targets. Variables: CC (gcc, clang), SANITIZE=1 (ASan and UBSan, built
# beside the ordinary build), PREFIX, DESTDIR, OPTIMIZE.

CC ?= gcc
ifeq ($(origin CC),default)
CC := gcc
endif
PREFIX ?= /usr
OPTIMIZE ?= -O2
SANITIZE ?=
VERSION := $(shell cat VERSION)

ifeq ($(SANITIZE),)
VARIANT := $(CC)
BIN := bin
HARDEN := -D_FORTIFY_SOURCE=2
KEEPER_LINK := -static
else
VARIANT := sanitize
BIN := build/sanitize/bin
HARDEN := -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
KEEPER_LINK :=
endif
BUILD := build/$(VARIANT)

comma := ,
# Where there is a cache of compilations it is used (ccache(1)); CCACHE= goes without.
CCACHE ?= $(shell command -v ccache)
WARN := -Wall -Wextra -Wshadow -Wconversion -Wno-sign-conversion -Wstrict-prototypes \
  -Wmissing-prototypes -Wpointer-arith -Wwrite-strings -Wvla -Wformat=2 -Werror
CFLAGS_ALL := -std=gnu17 -D_GNU_SOURCE -DHOLDEN_VERSION_TEXT='"$(VERSION)"' -Isrc -g $(OPTIMIZE) $(WARN) \
  -fstack-protector-strong -fstack-clash-protection -fcf-protection=full -fno-strict-aliasing \
  -fPIE -ffunction-sections -fdata-sections -ffile-prefix-map=$(CURDIR)=. $(HARDEN) $(CFLAGS)
LINK := $(CC) -pie -Wl,-z,relro,-z,now,-z,noexecstack -Wl,--gc-sections -Wl,--as-needed \
  $(if $(SANITIZE),-fsanitize=address$(comma)undefined) $(LDFLAGS)
LINK_STATIC := $(CC) $(if $(SANITIZE),-pie -fsanitize=address$(comma)undefined,-static-pie) \
  -Wl,-z,relro,-z,now,-z,noexecstack -Wl,--gc-sections $(LDFLAGS)

sources = $(sort $(wildcard $(1)))
objects = $(patsubst %.c,$(BUILD)/%.o,$(1))

COMMON := $(call sources,src/common/*.c)
PROTOCOL := $(filter-out src/protocol/reference.c,$(call sources,src/protocol/*.c))
DAEMON := $(call sources,src/daemon/*.c)
AGENT_BOTH := $(addprefix src/agent/,arguments.c mount_order.c probe.c)
KEEPER := $(call sources,src/agent/keeper*.c src/agent/child*.c) $(AGENT_BOTH)
AGENT := $(filter-out src/agent/reference.c $(filter-out $(AGENT_BOTH),$(KEEPER)),$(call sources,src/agent/*.c))
CONTROLLER := $(filter-out src/controller/reference.c,$(call sources,src/controller/*.c))
MONITOR := $(call sources,src/monitor/*.c)

LIBRARY := $(BUILD)/libholden.a
CATALOG := $(BUILD)/holden.catalog
PROGRAMS := $(BIN)/agent $(BIN)/agent-core $(BIN)/controller $(BIN)/monitor

.DEFAULT_GOAL := all
.PHONY: all
all: $(PROGRAMS) $(CATALOG) ## build bin/agent, bin/agent-core, bin/controller and bin/monitor

$(LIBRARY): $(call objects,$(COMMON) $(PROTOCOL))
	@rm -f $@
	ar rcs $@ $^

$(BIN)/agent: $(call objects,$(KEEPER)) $(LIBRARY)
	@mkdir -p $(@D)
	$(LINK_STATIC) -o $@ $^

$(BIN)/agent-core: $(call objects,$(AGENT) $(DAEMON)) $(LIBRARY)
	@mkdir -p $(@D)
	$(LINK) -o $@ $^ -lsystemd -lseccomp -lcap -linih

# Static and at a fixed address, so that a command starts as fast as the kernel lets it: it loads and
# relocates nothing at run time (docs/performance.md, "The whole command").
$(BIN)/controller: $(call objects,$(CONTROLLER)) $(LIBRARY)
	@mkdir -p $(@D)
	$(subst -static-pie,-static,$(LINK_STATIC)) -o $@ $^ -ljansson

$(BIN)/monitor: $(call objects,$(MONITOR)) $(LIBRARY)
	@mkdir -p $(@D)
	$(LINK) -o $@ $^ -lncursesw -ltinfo -lm

# What journalctl -x tells of the agent's entries.
$(BUILD)/catalog: $(call objects,src/agent/reference.c src/agent/catalog.c) $(LIBRARY)
	@$(LINK) -o $@ $^
$(CATALOG): $(BUILD)/catalog
	@$< > $@.new && mv $@.new $@

# An object depends on the flags it was built with.
$(BUILD)/flags: FORCE
	@mkdir -p $(@D)
	@echo '$(subst ','\'',$(CC) $(CFLAGS_ALL))' | cmp -s - $@ || echo '$(subst ','\'',$(CC) $(CFLAGS_ALL))' > $@
.PHONY: FORCE
FORCE:

$(BUILD)/%.o: %.c $(BUILD)/flags
	@mkdir -p $(@D)
	@echo "  CC    $<"
	@$(CCACHE) $(CC) $(CFLAGS_ALL) -MMD -MP -c -o $@ $<

-include $(shell find $(BUILD) -name '*.d' 2>/dev/null)

include tests/rules.mk

.PHONY: install
install: all ## install below DESTDIR and PREFIX
	install -d $(DESTDIR)$(PREFIX)/libexec/holden $(DESTDIR)$(PREFIX)/bin
	install -m 755 bin/agent bin/agent-core $(DESTDIR)$(PREFIX)/libexec/holden/
	install -m 755 bin/controller $(DESTDIR)$(PREFIX)/bin/holden-controller
	ln -sf holden-controller $(DESTDIR)$(PREFIX)/bin/holden
	install -m 755 bin/monitor $(DESTDIR)$(PREFIX)/bin/holden-monitor
	install -d $(DESTDIR)$(PREFIX)/lib $(DESTDIR)$(PREFIX)/include/holden/protocol $(DESTDIR)$(PREFIX)/include/holden/common
	install -m 644 $(LIBRARY) $(DESTDIR)$(PREFIX)/lib/libholden.a
	install -m 644 src/protocol/*.h src/protocol/*.def $(DESTDIR)$(PREFIX)/include/holden/protocol/
	install -m 644 src/common/buffer.h $(DESTDIR)$(PREFIX)/include/holden/common/
	install -d $(DESTDIR)$(PREFIX)/share/man/man1 $(DESTDIR)$(PREFIX)/share/man/man5 $(DESTDIR)$(PREFIX)/share/man/man7 $(DESTDIR)$(PREFIX)/share/man/man8
	install -m 644 docs/man/*.1 $(DESTDIR)$(PREFIX)/share/man/man1/
	ln -sf holden.1 $(DESTDIR)$(PREFIX)/share/man/man1/holden-controller.1
	install -m 644 docs/man/*.5 $(DESTDIR)$(PREFIX)/share/man/man5/
	install -m 644 docs/man/*.7 $(DESTDIR)$(PREFIX)/share/man/man7/
	install -m 644 docs/man/*.8 $(DESTDIR)$(PREFIX)/share/man/man8/
	install -d $(DESTDIR)$(PREFIX)/lib/systemd/system $(DESTDIR)$(PREFIX)/lib/systemd/catalog
	install -m 644 $(CATALOG) $(DESTDIR)$(PREFIX)/lib/systemd/catalog/holden.catalog
	for unit in holden-agent holden-processes; do \
	  sed 's,@PREFIX@,$(PREFIX),' packaging/$$unit.service \
	    > $(DESTDIR)$(PREFIX)/lib/systemd/system/$$unit.service; done

.PHONY: demo
demo: ## install what is missing, build, and show what Holden does; as root
	@packaging/demo

.PHONY: clean
clean: ## remove everything that was built
	rm -rf build bin

.PHONY: help
help: ## list the targets
	@sed -n 's/^\([a-z0-9-]*\):.*## \(.*\)/\1\t\2/p' $(MAKEFILE_LIST) | sort | expand -t 20
