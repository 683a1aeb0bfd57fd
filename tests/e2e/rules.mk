# What the end-to-end suites need besides the programs.
LOAD := $(BUILD)/tests/load

$(LOAD): $(call objects,tests/e2e/load.c) $(LIBRARY)
	@mkdir -p $(@D)
	$(LINK) -o $@ $^

.PHONY: e2e-programs
e2e-programs: all $(LOAD)
