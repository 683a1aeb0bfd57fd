# The programs of the benchmark that need nothing of Holden: the kernel's own cost.
BENCH := $(BUILD)/tests/bench
BENCH_SHARED := $(call objects,$(addprefix tests/bench/,launch.c measure.c scratch.c))

$(BENCH)/floor: $(call objects,$(addprefix tests/bench/,floor.c roundtrip.c)) $(BENCH_SHARED)
	@mkdir -p $(@D)
	$(LINK) -o $@ $^

$(BENCH)/spawner: $(call objects,$(addprefix tests/bench/,spawner.c crowd.c hazard.c helper.c ways.c)) \
  $(BENCH_SHARED)
	@mkdir -p $(@D)
	$(LINK) -o $@ $^

.PHONY: bench-programs
bench-programs: $(BENCH)/floor $(BENCH)/spawner ## build what measures the kernel alone
