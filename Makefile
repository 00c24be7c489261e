# marsprobe: `make demo` shows it, `make test` proves it; both install what they miss (apt, by package name) and build first.
#
#   make            build ./marsprobe                  make run      check this machine's real path
#   make test       everything, from a clean clone     make demo     three reports from a stand-in for Azure
#   make check      format, floors, warnings as errors; with SANITIZE=address,undefined the tests run under it
#   make bench      figures of settings, and against curl on the same targets; make bench-windows: start-up of the .exe
#   make install    DESTDIR and PREFIX are honoured
#   make windows    build build/windows/marsprobe.exe; PLATFORM=windows makes any other target for Windows
#   make test-windows   all tests with it, under Wine          make dist   the zip for a Windows server

VERSION := 0.1.0
PREFIX ?= /usr/local
PLATFORM ?= linux
SANITIZE ?=
WERROR ?=
V ?=

BUILD_PACKAGES := gcc libc6-dev make pkg-config libuv1-dev libc-ares-dev libcurl4-openssl-dev libssl-dev libjansson-dev libinih-dev \
	duktape-dev libexpat1-dev libpsl-dev libseccomp-dev
WINDOWS_PACKAGES := $(shell cat probe/os/windows-packages 2>/dev/null)

# What the platforms differ in. FOREIGN is the other one's part of a file name: probe/os/os_win32_net.c, tests/unit/os_net_posix_test.c.
ifeq ($(PLATFORM),windows)
B := build/windows
EXE := .exe
PROGRAM := $(B)/marsprobe.exe
FOREIGN := posix
CC := x86_64-w64-mingw32-gcc
CFLAGS ?= -Os
ifndef WINDOWS_PREFIX
WINDOWS_PREFIX := $(lastword $(shell probe/os/windows-libraries))
endif
ifeq ($(WINDOWS_PREFIX),)
$(error the libraries for Windows could not be built)
endif
# Other libraries, other objects: they stand in another directory then.
LIBRARIES_STAMP := $(WINDOWS_PREFIX)/complete
PKG_CONFIG := PKG_CONFIG_LIBDIR=$(WINDOWS_PREFIX)/lib/pkgconfig pkg-config --static
LIBRARIES := libuv-static libcares libcurl openssl jansson duktape expat libpsl
# 0x0A00 is what the headers call Windows 10 and Server 2016, the oldest that we run on.
PLATFORM_CFLAGS := -D_WIN32_WINNT=0x0A00 -D__USE_MINGW_ANSI_STDIO=1 -isystem $(WINDOWS_PREFIX)/include \
	-ffunction-sections -fdata-sections
PLATFORM_LDFLAGS := -static -s -L$(WINDOWS_PREFIX)/lib -Wl,--gc-sections,--no-insert-timestamp \
	-Wl,--dynamicbase,--nxcompat,--high-entropy-va,--wrap=ares_init_by_sysconfig,--stack,8388608
PLATFORM_LIBS := -lsecur32 -ladvapi32 -lshell32 -liphlpapi -lcrypt32 -lbcrypt -lws2_32
RESOURCES := $(B)/probe/os/marsprobe.rc.o
PLATFORM_TESTS := $(patsubst tests/windows/%.c,$(B)/windows/%.exe,$(sort $(wildcard tests/windows/*_test.c)))
else
B := build/$(if $(SANITIZE),sanitize,plain)
EXE :=
PROGRAM := $(if $(SANITIZE),$(B)/marsprobe,marsprobe)
FOREIGN := win32
CC ?= cc
CFLAGS ?= -O2 -g
PKG_CONFIG := pkg-config
LIBRARIES := libuv libcares libcurl openssl jansson duktape expat libpsl libseccomp
PLATFORM_CFLAGS := -fPIE
PLATFORM_LDFLAGS := -pie -Wl,-z,relro,-z,now -Wl,--as-needed
PLATFORM_LIBS := -lm -pthread
RESOURCES :=
PLATFORM_TESTS = $(LAB_TOOLS)
LIBRARIES_STAMP :=
endif

WARNINGS := -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion -Wstrict-prototypes -Wmissing-prototypes \
	-Wold-style-definition -Wredundant-decls -Wpointer-arith -Wcast-align -Wwrite-strings -Wundef -Wvla -Wformat=2 \
	-Wnull-dereference -Wdouble-promotion -Wimplicit-fallthrough -fno-common
ifneq ($(findstring clang,$(notdir $(CC))),clang)
WARNINGS += -Wlogical-op -Wduplicated-cond -Wduplicated-branches -Wcast-qual
else
WARNINGS += -Wno-gnu-zero-variadic-macro-arguments
endif
HARDENING := -fstack-protector-strong $(if $(SANITIZE),,-D_FORTIFY_SOURCE=2)
ALL_CFLAGS = -std=gnu11 -D_GNU_SOURCE -I. -I$(B) -DMARSPROBE_VERSION='"$(VERSION)"' $(WARNINGS) $(if $(WERROR),-Werror) $(HARDENING) \
	-ffile-prefix-map=$(CURDIR)=. -MMD -MP $(CFLAGS) $(if $(SANITIZE),-fsanitize=$(SANITIZE) -fno-sanitize-recover=all -fno-omit-frame-pointer) \
	$(PLATFORM_CFLAGS) $(shell $(PKG_CONFIG) --cflags $(LIBRARIES) 2>/dev/null)
ALL_LDFLAGS = $(PLATFORM_LDFLAGS) $(LDFLAGS) $(if $(SANITIZE),-fsanitize=$(SANITIZE))
LDLIBS = $(shell $(PKG_CONFIG) --libs $(LIBRARIES) 2>/dev/null) -linih $(PLATFORM_LIBS)

# Sources find themselves; those of the other platform stay out.
SOURCES := $(filter-out probe/os/os_$(FOREIGN)%,$(sort $(wildcard probe/*/*.c targets/*.c reports/*.c)))
MAIN := probe/cli/main.c
OBJECTS := $(SOURCES:%.c=$(B)/%.o) $(B)/targets/builtin.o
PARTS := $(filter-out $(MAIN:%.c=$(B)/%.o),$(OBJECTS))
UNIT_TESTS := $(patsubst tests/unit/%.c,$(B)/unit/%$(EXE),$(filter-out tests/unit/%_$(FOREIGN)_test.c,$(sort $(wildcard tests/unit/*_test.c))))
FUZZ_REPLAYS := $(patsubst tests/fuzz/%.c,$(B)/fuzz/%$(EXE),$(sort $(wildcard tests/fuzz/*_fuzz.c)))
REPLAY := $(filter-out tests/fuzz/replay_$(FOREIGN).c,$(sort $(wildcard tests/fuzz/replay*.c)))
BENCHES := $(patsubst tests/bench/%.c,$(B)/bench/%,$(sort $(wildcard tests/bench/*_bench.c)))
LAB_TOOLS := $(patsubst tests/lab/%.c,$(B)/lab/%,$(sort $(wildcard tests/lab/*.c)))

Q := $(if $(V),,@)
say = $(if $(V),,@printf '  %-5s %s\n' '$(1)' '$(2)')

.PHONY: all deps test-deps test check check-format check-floors demo bench run install clean tests-built windows windows-deps \
	test-windows bench-windows imports dist zip
all: deps
	@$(MAKE) --no-print-directory $(PROGRAM)

deps:
	@tests/install-packages $(BUILD_PACKAGES)

test-deps: deps
	@tests/install-packages --tests

$(PROGRAM): $(OBJECTS) $(RESOURCES)
	$(call say,LD,$@)
	$(Q)$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) -o $@ $(filter %.c %.o,$^) $(LDLIBS)

$(B)/%.o: %.c $(LIBRARIES_STAMP)
	$(call say,CC,$<)
	@mkdir -p $(@D)
	$(Q)$(CC) $(ALL_CFLAGS) -c -o $@ $<

comma := ,
$(B)/%.rc.o: %.rc %.manifest
	$(call say,RC,$<)
	@mkdir -p $(@D)
	$(Q)x86_64-w64-mingw32-windres -DVERSION_TEXT=\\\"$(VERSION)\\\" -DVERSION_NUMBERS=$(subst .,$(comma),$(VERSION)),0 -I. -o $@ $<

# Target sets and lists of roots, as C texts: edit the file, not the build.
$(B)/targets/builtin.c: targets/embed $(sort $(wildcard targets/*.ini targets/*.txt))
	$(call say,GEN,$@)
	@mkdir -p $(@D)
	$(Q)targets/embed $(sort $(wildcard targets/*.ini targets/*.txt)) > $@.new && mv $@.new $@

$(B)/targets/builtin.o: $(B)/targets/builtin.c
	$(call say,CC,$<)
	$(Q)$(CC) $(ALL_CFLAGS) -c -o $@ $<

$(B)/unit/%$(EXE): tests/unit/%.c $(PARTS)
	$(call say,TEST,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) -o $@ $(filter %.c %.o,$^) $(LDLIBS)

$(B)/fuzz/%$(EXE): tests/fuzz/%.c $(REPLAY) $(PARTS)
	$(call say,FUZZ,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) -o $@ $(filter %.c %.o,$^) $(LDLIBS)

$(B)/bench/%: tests/bench/%.c $(PARTS)
	$(call say,BENCH,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) -o $@ $(filter %.c %.o,$^) $(LDLIBS)

$(B)/windows/%.exe: tests/windows/%.c $(PARTS)
	$(call say,TEST,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) -o $@ $(filter %.c %.o,$^) $(LDLIBS)

$(B)/lab/%: tests/lab/%.c
	$(call say,LAB,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) -o $@ $< -pthread

tests-built: $(PROGRAM) $(UNIT_TESTS) $(FUZZ_REPLAYS) $(PLATFORM_TESTS)

test: test-deps
	@$(MAKE) --no-print-directory tests-built
	@tests/run --program $(PROGRAM) --build $(B)

demo: test-deps
	@$(MAKE) --no-print-directory $(PROGRAM) $(LAB_TOOLS)
	@tests/lab/demo --program $(PROGRAM) --build $(B)

bench: test-deps
	@$(MAKE) --no-print-directory $(PROGRAM) $(LAB_TOOLS) $(BENCHES)
	@set -e; for bench in $(BENCHES); do $$bench; done
	@tests/lab/bench --program $(PROGRAM) --build $(B)

run: all
	./$(PROGRAM)

windows-deps: deps
	@tests/install-packages $(WINDOWS_PACKAGES)

windows: windows-deps
	@$(MAKE) --no-print-directory PLATFORM=windows imports

# The program for this machine is there too, to be compared with, and the lab's tools, which run here.
test-windows: test-deps windows-deps
	@tests/install-packages --windows
	@$(MAKE) --no-print-directory $(PROGRAM) $(LAB_TOOLS)
	@$(MAKE) --no-print-directory PLATFORM=windows imports tests-built
	@tests/run --program build/windows/marsprobe.exe --build build/windows

bench-windows: test-deps windows
	@tests/install-packages --windows
	@tests/windows/bench build/windows/marsprobe.exe --build build/windows

dist: windows-deps
	@$(MAKE) --no-print-directory PLATFORM=windows imports zip

ZIP := build/marsprobe-$(VERSION)-windows-x86_64.zip
zip: $(PROGRAM)
	@probe/os/windows-zip $(ZIP) $(PROGRAM) $(WINDOWS_PREFIX)/licences

# What every Windows Server since 2016 has in its system folder. Nothing else may be needed, and the file stays small enough to be mailed.
SYSTEM_DLLS := ADVAPI32.dll bcrypt.dll CRYPT32.dll dbghelp.dll IPHLPAPI.DLL KERNEL32.dll msvcrt.dll ole32.dll SHELL32.dll Secur32.dll USER32.dll \
	USERENV.dll WS2_32.dll
IMPORTED_DLLS = $(sort $(shell x86_64-w64-mingw32-objdump -p $(PROGRAM) | sed -n 's/^\tDLL Name: //p'))
PROGRAM_BYTES_MAX := 12582912
imports: $(PROGRAM)
	@echo "$(PROGRAM): $$(stat -c %s $(PROGRAM)) bytes, imports $(IMPORTED_DLLS)"
	$(if $(filter-out $(SYSTEM_DLLS),$(IMPORTED_DLLS)),$(error imports a DLL that is not known as the system's: \
		$(filter-out $(SYSTEM_DLLS),$(IMPORTED_DLLS))))
	@test $$(stat -c %s $(PROGRAM)) -lt $(PROGRAM_BYTES_MAX) || { echo "$(PROGRAM): larger than $(PROGRAM_BYTES_MAX) bytes" >&2; exit 1; }

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

-include $(OBJECTS:.o=.d) $(UNIT_TESTS:$(EXE)=.d) $(FUZZ_REPLAYS:$(EXE)=.d) $(BENCHES:=.d) $(PLATFORM_TESTS:$(EXE)=.d)
