# Fault injection. FAULTS_SHARE: each how manieth attempt is made; FAULTS_SEED: which.
FAULTS := $(BUILD)/tests/faults/faults
FAULTS_SHARE ?= 1
FAULTS_SEED ?= 0

$(FAULTS): $(call objects,$(call sources,tests/faults/*.c)) $(LIBRARY)
	@mkdir -p $(@D)
	$(LINK) -o $@ $^

.PHONY: faults faults-programs
faults-programs: all $(FAULTS)
faults: faults-programs ## make each system call fail, and kill the agent at each (FAULTS_OPTIONS=)
	@$(FAULTS) --share $(FAULTS_SHARE) --seed $(FAULTS_SEED) $(FAULTS_OPTIONS) $(BIN)
