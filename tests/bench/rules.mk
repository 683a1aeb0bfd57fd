# The benchmark. floor and spawner need nothing of Holden: the kernel's own cost. bench measures
# Holden beside it.
BENCH := $(BUILD)/tests/bench
bench_objects = $(call objects,$(patsubst %,tests/bench/%.c,$(1)))

$(BENCH)/floor: $(call bench_objects,floor bare roundtrip launch measure scratch)
$(BENCH)/spawner: $(call bench_objects,spawner crowd hazard helper ways launch measure scratch)
$(BENCH)/bench: $(call bench_objects,bench assailant bare confined contest figure roundtrip subject launch measure \
  scratch) $(call objects,$(call sources,tests/bench/part_*.c)) $(BUILD)/tests/controller.a $(LIBRARY)
$(BENCH)/soak: $(call bench_objects,soak confined contest subject measure scratch) $(LIBRARY)
$(BENCH)/bench: LIBS := -ljansson
$(BENCH)/floor $(BENCH)/spawner $(BENCH)/bench $(BENCH)/soak:
	@mkdir -p $(@D)
	$(LINK) -o $@ $^ $(LIBS)

# Ten thousand of it have to fit, and a million come and go: no library, a few pages.
$(BENCH)/pause $(BENCH)/tick $(BENCH)/quit: $(BENCH)/%: tests/bench/%.c
	@mkdir -p $(@D)
	$(CC) -Os -nostdlib -static -fno-stack-protector -fno-pie -no-pie -Wl,-z,noseparate-code \
	  -Wl,--build-id=none -s -o $@ $<

.PHONY: bench bench-programs
bench-programs: $(BENCH)/floor $(BENCH)/spawner $(BENCH)/bench $(BENCH)/pause $(BENCH)/tick $(BENCH)/quit \
  $(BENCH)/soak
bench: all bench-programs ## measure Holden beside the kernel alone (BENCH_OPTIONS=)
	@tests/bench/run $(BENCH_OPTIONS)

# Starts of the soak.
COUNT ?= 1000000
.PHONY: soak
soak: all $(BENCH)/soak $(BENCH)/quit ## start COUNT (1,000,000) processes and see that nothing of them stays
	@$(BENCH)/soak -n $(COUNT) --payload $(BENCH)/quit
