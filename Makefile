# marsprobe: `make demo` shows it, `make test` proves it; both install what they miss (apt, by package name) and build first.
#
#   make            build ./marsprobe                  make run      check this machine's real path
#   make test       everything, from a clean clone     make demo     three reports from a stand-in for Azure
#   make check      format, floors, warnings as errors; with SANITIZE=address,undefined the tests run under it
#   make bench      figures against curl on the same targets
#   make install    DESTDIR and PREFIX are honoured

VERSION := 0.1.0
PREFIX ?= /usr/local
CC ?= cc
CFLAGS ?= -O2 -g
SANITIZE ?=
WERROR ?=
V ?=

B := build/$(if $(SANITIZE),sanitize,plain)
PROGRAM := $(if $(SANITIZE),$(B)/marsprobe,marsprobe)

LIBRARIES := libuv libcares libcurl openssl jansson
BUILD_PACKAGES := gcc libc6-dev make pkg-config libuv1-dev libc-ares-dev libcurl4-openssl-dev libssl-dev libjansson-dev libinih-dev

WARNINGS := -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion -Wstrict-prototypes -Wmissing-prototypes \
	-Wold-style-definition -Wredundant-decls -Wpointer-arith -Wcast-align -Wwrite-strings -Wundef -Wvla -Wformat=2 \
	-Wnull-dereference -Wdouble-promotion -Wimplicit-fallthrough -fno-common
ifneq ($(findstring clang,$(notdir $(CC))),clang)
WARNINGS += -Wlogical-op -Wduplicated-cond -Wduplicated-branches -Wcast-qual
else
WARNINGS += -Wno-gnu-zero-variadic-macro-arguments
endif
HARDENING := -fstack-protector-strong -fPIE $(if $(SANITIZE),,-D_FORTIFY_SOURCE=2)
ALL_CFLAGS = -std=gnu11 -D_GNU_SOURCE -I. -I$(B) -DMARSPROBE_VERSION='"$(VERSION)"' $(WARNINGS) $(if $(WERROR),-Werror) $(HARDENING) \
	-ffile-prefix-map=$(CURDIR)=. -MMD -MP $(CFLAGS) $(if $(SANITIZE),-fsanitize=$(SANITIZE) -fno-sanitize-recover=all -fno-omit-frame-pointer) \
	$(shell pkg-config --cflags $(LIBRARIES) 2>/dev/null)
ALL_LDFLAGS = -pie -Wl,-z,relro,-z,now -Wl,--as-needed $(LDFLAGS) $(if $(SANITIZE),-fsanitize=$(SANITIZE))
LDLIBS = $(shell pkg-config --libs $(LIBRARIES) 2>/dev/null) -linih -lm -pthread

# Sources find themselves; on Linux os_win32.c stays out.
SOURCES := $(filter-out probe/os/os_win32.c,$(sort $(wildcard probe/*/*.c targets/*.c reports/*.c)))
MAIN := probe/cli/main.c
OBJECTS := $(SOURCES:%.c=$(B)/%.o) $(B)/targets/builtin.o
PARTS := $(filter-out $(MAIN:%.c=$(B)/%.o),$(OBJECTS))
UNIT_TESTS := $(patsubst tests/unit/%.c,$(B)/unit/%,$(sort $(wildcard tests/unit/*_test.c)))
FUZZ_REPLAYS := $(patsubst tests/fuzz/%.c,$(B)/fuzz/%,$(sort $(wildcard tests/fuzz/*_fuzz.c)))
LAB_TOOLS := $(patsubst tests/lab/%.c,$(B)/lab/%,$(sort $(wildcard tests/lab/*.c)))

Q := $(if $(V),,@)
say = $(if $(V),,@printf '  %-5s %s\n' '$(1)' '$(2)')

.PHONY: all deps test-deps test check check-format check-floors demo bench run install clean unit fuzz-replay tests-built
all: deps
	@$(MAKE) --no-print-directory $(PROGRAM)

deps:
	@tests/install-packages $(BUILD_PACKAGES)

test-deps: deps
	@tests/install-packages --tests

$(PROGRAM): $(OBJECTS)
	$(call say,LD,$@)
	$(Q)$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) -o $@ $(filter %.c %.o,$^) $(LDLIBS)

$(B)/%.o: %.c
	$(call say,CC,$<)
	@mkdir -p $(@D)
	$(Q)$(CC) $(ALL_CFLAGS) -c -o $@ $<

# Target sets and lists of roots, as C texts: edit the file, not the build.
$(B)/targets/builtin.c: targets/embed $(sort $(wildcard targets/*.ini targets/*.txt))
	$(call say,GEN,$@)
	@mkdir -p $(@D)
	$(Q)targets/embed $(sort $(wildcard targets/*.ini targets/*.txt)) > $@.new && mv $@.new $@

$(B)/targets/builtin.o: $(B)/targets/builtin.c
	$(call say,CC,$<)
	$(Q)$(CC) $(ALL_CFLAGS) -c -o $@ $<

$(B)/unit/%: tests/unit/%.c $(PARTS)
	$(call say,TEST,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) -o $@ $(filter %.c %.o,$^) $(LDLIBS)

$(B)/fuzz/%: tests/fuzz/%.c tests/fuzz/replay.c $(PARTS)
	$(call say,FUZZ,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) -o $@ $(filter %.c %.o,$^) $(LDLIBS)

$(B)/lab/%: tests/lab/%.c
	$(call say,LAB,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) -o $@ $< -pthread

tests-built: $(PROGRAM) $(UNIT_TESTS) $(FUZZ_REPLAYS) $(LAB_TOOLS)

test: test-deps
	@$(MAKE) --no-print-directory tests-built
	@tests/run --program $(PROGRAM) --build $(B)

demo: test-deps
	@$(MAKE) --no-print-directory $(PROGRAM) $(LAB_TOOLS)
	@tests/lab/demo --program $(PROGRAM) --build $(B)

bench: test-deps
	@$(MAKE) --no-print-directory $(PROGRAM) $(LAB_TOOLS)
	@tests/lab/bench --program $(PROGRAM) --build $(B)

run: all
	./$(PROGRAM)

check: test-deps check-format check-floors
	@$(MAKE) --no-print-directory WERROR=1 tests-built
ifneq ($(SANITIZE),)
	@tests/run --program $(PROGRAM) --build $(B)
endif

C_FILES := $(sort $(wildcard probe/*/*.[ch] targets/*.[ch] reports/*.[ch] tests/*/*.[ch]))
check-format:
	@clang-format --dry-run -Werror $(C_FILES) && echo "format: $(words $(C_FILES)) files clean"

check-floors:
	@tests/floors

install: all
	install -D -m 755 $(PROGRAM) $(DESTDIR)$(PREFIX)/bin/marsprobe

clean:
	rm -rf build marsprobe

-include $(OBJECTS:.o=.d) $(UNIT_TESTS:=.d) $(FUZZ_REPLAYS:=.d)
