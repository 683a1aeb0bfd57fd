# What the end-to-end suites need besides the programs.
LOAD := $(BUILD)/tests/load
CHAOS := $(BUILD)/tests/chaos
MUTATE := $(BUILD)/tests/mutate
FLOOD := $(BUILD)/tests/flood
IMPOSTOR := $(BUILD)/tests/impostor
DEAF := $(BUILD)/tests/deaf
ESCAPE := $(BUILD)/tests/escape
CALLER := $(BUILD)/tests/caller
BYSTANDER := $(BUILD)/tests/bystander

$(LOAD): $(call objects,tests/e2e/load.c) $(LIBRARY)
	@mkdir -p $(@D)
	$(LINK) -o $@ $^

$(CALLER): $(call objects,tests/e2e/caller.c) $(LIBRARY)
	@mkdir -p $(@D)
	$(LINK) -o $@ $^

$(CHAOS): $(call objects,tests/e2e/chaos.c) $(LIBRARY)
	@mkdir -p $(@D)
	$(LINK) -o $@ $^

$(MUTATE): $(call objects,tests/e2e/mutate.c tests/unit/sample.c) $(LIBRARY)
	@mkdir -p $(@D)
	$(LINK) -o $@ $^

RECORDING := $(BUILD)/tests/recording
$(RECORDING): $(call objects,tests/e2e/recording.c) $(BUILD)/tests/monitor.a $(LIBRARY)
	@mkdir -p $(@D)
	$(LINK) -o $@ $^ -lncursesw -ltinfo -lm

# Linked statically: they also run in containers and root directories that have no library.
BATTERY := $(BUILD)/tests/battery
PROBE := $(BUILD)/tests/probe
$(PROBE): $(BUILD)/tests/vm/reach.o
$(BATTERY) $(PROBE): $(BUILD)/tests/%: $(BUILD)/tests/vm/%.o
	@mkdir -p $(@D)
	$(LINK_STATIC) -o $@ $^

$(FLOOD) $(IMPOSTOR) $(DEAF) $(ESCAPE): $(BUILD)/tests/%: $(BUILD)/tests/e2e/%.o
	@mkdir -p $(@D)
	$(LINK) -o $@ $^

$(BYSTANDER): $(call objects,tests/vm/bystander.c)
	@mkdir -p $(@D)
	$(LINK) -o $@ $^

.PHONY: e2e-programs
e2e-programs: all $(BENCH)/soak $(BENCH)/quit $(LOAD) $(CHAOS) $(CALLER) $(MUTATE) $(FLOOD) $(IMPOSTOR) $(DEAF) \
  $(BYSTANDER) $(BATTERY) $(PROBE) $(ESCAPE) $(RECORDING)
