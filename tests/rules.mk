# How the tests are built and run. A unit test of the noun X is tests/unit/X_test.c (LAYER_X_test.c
# where two layers have that noun); it is linked with the layers whose headers it includes, and with
# the files of tests/unit/ that are no tests themselves.

UNIT_TESTS := $(call sources,tests/unit/*_test.c)
UNIT_PROGRAMS := $(UNIT_TESTS:%_test.c=$(BUILD)/%)
UNIT_SUPPORT := $(BUILD)/tests/unit/support.a
UNIT_LIBS := -lcmocka -lsystemd -lseccomp -lcap -linih -ljansson -lncursesw -ltinfo

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
	ar rcs $@ $^

define unit_rule
$(1:%_test.c=$(BUILD)/%): $(call objects,$(1)) $(UNIT_SUPPORT) $(call archives_of,$(1)) $(LIBRARY)
	@mkdir -p $$(@D)
	$$(LINK) -o $$@ $$^ $(UNIT_LIBS)
endef
$(foreach test,$(UNIT_TESTS),$(eval $(call unit_rule,$(test))))

# The keeper is tested as a program.
$(BUILD)/tests/unit/keeper $(BUILD)/tests/unit/keeper_child: | $(BIN)/agent

.PHONY: unit unit-programs
unit-programs: $(UNIT_PROGRAMS)
unit: $(UNIT_PROGRAMS) ## run the unit tests (SANITIZE=1: under ASan and UBSan)
	@HOLDEN_BIN=$(BIN) tests/unit/run $(UNIT_PROGRAMS)
