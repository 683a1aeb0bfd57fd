# How the tests are built and run. A unit test of the noun X is tests/unit/X_test.c (LAYER_X_test.c
# where two layers have that noun); it is linked with the layers whose headers it includes, and with
# the files of tests/unit/ that are no tests themselves.

UNIT_TESTS := $(call sources,tests/unit/*_test.c)
UNIT_PROGRAMS := $(UNIT_TESTS:%_test.c=$(BUILD)/%)
UNIT_SUPPORT := $(BUILD)/tests/unit/support.a
UNIT_LIBS := -lcmocka -lsystemd -lseccomp -lcap -linih -ljansson -lncursesw -ltinfo -lm

# "FILE:LAYER" for each layer above libholden whose headers a test or its support includes.
unit_layers := $(shell awk -F'["/]' '/^\#include "(agent|controller|monitor|daemon)\// \
  { print FILENAME ":" $$2 }' $(UNIT_TESTS) /dev/null | sort -u)
layers_of = $(patsubst $(1):%,%,$(filter $(1):%,$(unit_layers)))
# The agent stands on the daemon layer.
archives_of = $(foreach layer,$(call layers_of,$(1)),$(BUILD)/tests/$(layer).a) \
  $(if $(filter agent,$(call layers_of,$(1))),$(BUILD)/tests/daemon.a)

$(BUILD)/tests/agent.a: $(call objects,$(sort $(AGENT) $(KEEPER)))
$(BUILD)/tests/daemon.a: $(call objects,$(DAEMON))
$(BUILD)/tests/controller.a: $(call objects,$(CONTROLLER))
$(BUILD)/tests/monitor.a: $(call objects,$(MONITOR))
$(UNIT_SUPPORT): $(call objects,$(filter-out $(UNIT_TESTS),$(call sources,tests/unit/*.c)))
$(BUILD)/tests/%.a:
	@mkdir -p $(@D)
	@rm -f $@
	@ar rcs $@ $^

define unit_rule
$(1:%_test.c=$(BUILD)/%): $(call objects,$(1)) $(UNIT_SUPPORT) $(call archives_of,$(1)) $(LIBRARY)
	@mkdir -p $$(@D)
	@$$(LINK) -o $$@ $$^ $(UNIT_LIBS)
endef
$(foreach test,$(UNIT_TESTS),$(eval $(call unit_rule,$(test))))

# The keeper is tested as a program.
$(BUILD)/tests/unit/keeper $(BUILD)/tests/unit/keeper_child: | $(BIN)/agent

.PHONY: unit unit-programs
unit-programs: $(UNIT_PROGRAMS)
unit: $(UNIT_PROGRAMS) $(BIN)/agent ## run the unit tests (SANITIZE=1: under ASan and UBSan)
	@HOLDEN_BIN=$(BIN) tests/unit/run $(UNIT_PROGRAMS)

# On the real programs, as root; E2E names files other than all.
E2E ?= tests/e2e
.PHONY: e2e check-vm units check
e2e: e2e-programs ## run the end-to-end tests on this machine (E2E=FILE.bats...)
	@HOLDEN_BIN=$(CURDIR)/$(BIN) HOLDEN_TESTS=$(CURDIR)/$(BUILD)/tests \
	  tests/tap e2e bats --tap --timing $(E2E)
check-vm: e2e-programs ## run the tests in the QEMU machine
	@tests/vm/check
units: all ## try the unit files of real packages in a container without systemd; as root
	@tests/units/check
check: ## build everything in every way and run every test
	@tests/check

# What the tables are turned into: manual pages, which are kept in the tree, and the fuzzers' dictionary.
REFERENCES := $(BUILD)/reference $(BUILD)/directives
$(BUILD)/reference: $(call objects,src/protocol/reference.c) $(LIBRARY)
	@$(LINK) -o $@ $^
$(BUILD)/directives: $(call objects,src/controller/reference.c src/controller/directive.c) $(LIBRARY)
	@$(LINK) -o $@ $^

.PHONY: reference reference-check
reference-check: $(REFERENCES)
	@tests/reference $(BUILD)/reference docs/man/holden-protocol.7
	@tests/reference $(BUILD)/directives docs/man/holden-directives.7
reference: $(REFERENCES) ## make docs/man/holden-protocol.7 and holden-directives.7 from the tables
	@tests/reference $(BUILD)/reference docs/man/holden-protocol.7 --write
	@tests/reference $(BUILD)/directives docs/man/holden-directives.7 --write

# Fuzz targets, one a file, built with clang: libFuzzer, ASan and UBSan. They are linked with every
# layer; each object that a program's main() is in stays out, since nothing asks for it.
FUZZ := build/fuzz
FUZZ_SECONDS ?= 60
FUZZ_CC ?= clang
FUZZ_SANITIZE := -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
FUZZ_CFLAGS := -std=gnu17 -D_GNU_SOURCE -DHOLDEN_VERSION_TEXT='"$(VERSION)"' -Isrc -g -ffile-prefix-map=$(CURDIR)=. -O1 $(WARN) \
  -fno-strict-aliasing $(FUZZ_SANITIZE)
FUZZ_TARGETS := $(filter-out seed,$(patsubst tests/fuzz/%.c,%,$(call sources,tests/fuzz/*.c)))
FUZZ_PROGRAMS := $(FUZZ_TARGETS:%=$(FUZZ)/bin/%)
fuzz_objects = $(patsubst %.c,$(FUZZ)/%.o,$(1))
# "FILE:LAYER", as for the unit tests.
fuzz_layers := $(shell awk -F'["/]' '/^\#include "(agent|controller|monitor)\// \
  { print FILENAME ":" $$2 }' $(FUZZ_TARGETS:%=tests/fuzz/%.c) /dev/null | sort -u)
fuzz_archives = $(foreach layer,$(patsubst tests/fuzz/$(1).c:%,%,$(filter tests/fuzz/$(1).c:%,$(fuzz_layers))),\
  $(if $(filter agent,$(layer)),$(FUZZ)/stage.a) $(FUZZ)/$(layer).a $(if $(filter agent,$(layer)),$(FUZZ)/daemon.a))

$(FUZZ)/%.o: %.c
	@mkdir -p $(@D)
	@echo "  CC    $< (fuzz)"
	@$(CCACHE) $(FUZZ_CC) $(FUZZ_CFLAGS) -fsanitize=fuzzer-no-link -MMD -MP -c -o $@ $<

$(FUZZ)/base.a: $(call fuzz_objects,$(COMMON) $(PROTOCOL) tests/unit/sample.c)
$(FUZZ)/stage.a: $(call fuzz_objects,$(addprefix tests/unit/,stage.c guest.c scratch.c))
$(FUZZ)/agent.a: $(call fuzz_objects,$(sort $(AGENT) $(KEEPER)))
$(FUZZ)/daemon.a: $(call fuzz_objects,$(DAEMON))
$(FUZZ)/controller.a: $(call fuzz_objects,$(CONTROLLER))
$(FUZZ)/%.a:
	@rm -f $@
	@ar rcs $@ $^

define fuzz_rule
$(FUZZ)/bin/$(1): $(FUZZ)/tests/fuzz/$(1).o $(call fuzz_archives,$(1)) $(FUZZ)/base.a
	@mkdir -p $$(@D)
	@$(FUZZ_CC) $(FUZZ_SANITIZE) -fsanitize=fuzzer -o $$@ $$^ -Wl,--as-needed -lsystemd -lseccomp -lcap -linih -ljansson -lcmocka
endef
$(foreach target,$(FUZZ_TARGETS),$(eval $(call fuzz_rule,$(target))))

$(FUZZ)/bin/seed: $(FUZZ)/tests/fuzz/seed.o $(FUZZ)/base.a
	@mkdir -p $(@D)
	@$(FUZZ_CC) $(FUZZ_SANITIZE) -o $@ $^

$(FUZZ)/dict: $(BUILD)/reference
	@mkdir -p $(@D)
	@$< dict > $@

$(FUZZ)/seeds: $(FUZZ)/bin/seed
	@rm -rf $@ && mkdir -p $@ $(FUZZ_TARGETS:%=$@/%)
	@$< $@

.PHONY: fuzz fuzz-programs
fuzz-programs: $(FUZZ_PROGRAMS) $(FUZZ)/dict $(FUZZ)/seeds
fuzz: fuzz-programs ## run every fuzz target for FUZZ_SECONDS (60)
	@tests/fuzz/run $(FUZZ_SECONDS) $(FUZZ) $(FUZZ_TARGETS)

-include $(shell find $(FUZZ) -name '*.d' 2>/dev/null)

include tests/bench/rules.mk
include tests/e2e/rules.mk
include tests/faults/rules.mk

# Lint. Each file is looked at again only when its object, and so a header, has changed.
LINT := build/lint
LINT_SOURCES := $(call sources,src/*/*.c tests/unit/*.c tests/fuzz/*.c tests/bench/*.c tests/faults/*.c)
LINT_SCRIPTS := $(sort packaging/install-packages packaging/demo .ci/run tests/check tests/layers tests/style \
  tests/reference tests/tap tests/unit/run tests/fuzz/run $(shell grep -lE '^\#!/(usr/bin/env )?(bin/)?(ba|da)?sh' \
  tests/vm/* tests/vm/guest/* tests/e2e/* tests/bench/* 2>/dev/null))
LINT_BATS := $(call sources,tests/*/*.bats tests/*/*.bash)
# varFuncNullUB: NULL is a pointer in gcc and clang. ctuuninitvar: what a function is to fill comes
# uninitialised. The tests are left out: cppcheck does not know that cmocka's asserts do not return.
CPPCHECK := cppcheck --quiet --std=c17 --language=c --enable=warning,performance,portability \
  --error-exitcode=1 --suppress=varFuncNullUB --suppress=ctuuninitvar --library=tests/queue.cfg --template=gcc \
  -D_GNU_SOURCE -DHOLDEN_VERSION_TEXT='""' -Isrc

$(LINT)/%.tidy: %.c $(BUILD)/%.o .clang-tidy tests/.clang-tidy
	@mkdir -p $(@D)
	@clang-tidy --quiet $< -- -std=gnu17 -D_GNU_SOURCE -DHOLDEN_VERSION_TEXT='""' -Isrc 2>$@.log \
	  || { grep -v 'warnings\? generated' $@.log; exit 1; }
	@touch $@

.PHONY: lint lint-cppcheck lint-scripts lint-text
lint: $(patsubst %.c,$(LINT)/%.tidy,$(LINT_SOURCES)) lint-cppcheck lint-scripts lint-text ## clang-tidy, cppcheck, shellcheck, mandoc, layers, style
lint-cppcheck:
	@$(CPPCHECK) src
# SC2016: snippets for other shells. SC2034, SC2119, SC2120: a helper and its users are not read together.
lint-scripts:
	@shellcheck $(LINT_SCRIPTS)
	@$(if $(LINT_BATS),shellcheck --exclude=SC2016 --exclude=SC2034 --exclude=SC2119 --exclude=SC2120 $(LINT_BATS))
lint-text: reference-check
	@mandoc -Tlint -Wwarning docs/man/*.[1-9]
	@tests/layers
	@tests/style $$(git ls-files '*.[ch]' '*.def' | xargs ls 2>/dev/null)
