/* Nothing of the private key stays in memory: a process that has read a vault credentials file is searched whole. It is another one than the
 * process that made the file, whose memory is full of it. What is searched for is kept in disguise. */
#include "targets/vault.h"

#include <fcntl.h>
#include <stdint.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/unit/check.h"
#include "tests/unit/check_file.h"
#include "tests/unit/vault_builder.h"

enum { NEEDLE_BYTES = 24, NEEDLES_MAX = 256, DISGUISE = 0x5a, ENCRYPTED_BYTES_MIN = 64, REGION_BYTES_MAX = 64 << 20 };

struct needles {
	size_t count;
	unsigned char bytes[NEEDLES_MAX][NEEDLE_BYTES];
};

static void add(struct needles *needles, const void *from)
{
	if (needles->count == NEEDLES_MAX)
		return;
	for (size_t i = 0; i < NEEDLE_BYTES; i++)
		needles->bytes[needles->count][i] = (unsigned char)(((const unsigned char *)from)[i] ^ DISGUISE);
	needles->count++;
}

static void add_all_of(struct needles *needles, const void *from, size_t length, size_t step)
{
	for (size_t at = 0; at + NEEDLE_BYTES <= length; at += step)
		add(needles, (const unsigned char *)from + at);
}

/* What is encrypted in a PFX; not the salts beside it, nor certificates, which are no secret. */
static void add_encrypted(struct needles *needles, const unsigned char *bytes, long length)
{
	for (const unsigned char *at = bytes, *end = bytes + length; at < end;) {
		long inner = 0;
		int tag = 0, class = 0;
		const unsigned char *content = at;
		int form = ASN1_get_object(&content, &inner, &tag, &class, end - at);
		if (form & 0x80)
			return;
		bool is_octets = tag == V_ASN1_OCTET_STRING || class == V_ASN1_CONTEXT_SPECIFIC;
		const unsigned char *deeper = content;
		long all = 0;
		bool is_der = is_octets && inner > 2 && content[0] == 0x30 &&
			      !(ASN1_get_object(&deeper, &all, &tag, &class, inner) & 0x80) &&
			      deeper + all == content + inner;
		if ((form & V_ASN1_CONSTRUCTED) || is_der)
			add_encrypted(needles, content, inner);
		else if (is_octets && inner > ENCRYPTED_BYTES_MIN)
			add_all_of(needles, content, (size_t)inner, 16);
		at = content + inner;
	}
}

/* ------------------------------------------------------------------ searching */

__attribute__((no_sanitize_address)) static bool is_at(const unsigned char *memory, const unsigned char *needle)
{
	for (size_t i = 0; i < NEEDLE_BYTES; i++)
		if ((memory[i] ^ DISGUISE) != needle[i])
			return false;
	return true;
}

__attribute__((no_sanitize_address)) static size_t count_in(const unsigned char *from, const unsigned char *to,
							    const struct needles *needles)
{
	size_t found = 0;
	for (const unsigned char *at = from; at + NEEDLE_BYTES <= to; at++)
		for (size_t i = 0; i < needles->count; i++)
			found += (*at ^ DISGUISE) == needles->bytes[i][0] && is_at(at, needles->bytes[i]);
	return found;
}

static size_t count_in_memory(const struct needles *needles)
{
	char line[512], rights[8];
	unsigned long from, to;
	size_t found = 0;
	FILE *maps = fopen("/proc/self/maps", "r");
	if (!maps)
		return SIZE_MAX;
	setvbuf(maps, NULL, _IONBF, 0);
	while (fgets(line, sizeof(line), maps)) {
		if (sscanf(line, "%lx-%lx %7s", &from, &to, rights) == 3 && strncmp(rights, "rw", 2) == 0 &&
		    to - from <= REGION_BYTES_MAX)
			found += count_in((const unsigned char *)(uintptr_t)from, (const unsigned char *)(uintptr_t)to,
					  needles);
	}
	fclose(maps);
	return found;
}

/* What the searching process says by its exit status: 0 nothing found, 1 something, 2 the file was not read. keeps: it keeps the file's bytes,
 * to show that they would be found. */
static int search(const char *file, int needles_fd, bool keeps)
{
	static struct needles needles;
	static char kept[VAULT_FILE_BYTES_MAX];
	struct vault_file vault;
	struct err err = {""};
	size_t length;
	char reason[100];
	struct arena *arena = arena_new();
	size_t got = 0;
	for (ssize_t more; (more = read(needles_fd, (char *)&needles + got, sizeof(needles) - got)) > 0;)
		got += (size_t)more;
	if (got != sizeof(needles) || needles.count < 10)
		return 2;
	if (!vault_file_read(arena, file, &vault, &err) || strcmp(vault.certificate, "read") != 0)
		return 2;
	if (keeps && !os_read_secret(file, kept, sizeof(kept) - 1, &length, reason, sizeof(reason)))
		return 2;
	return count_in_memory(&needles) ? 1 : 0;
}

static int run_search(const char *program, const char *file, const struct needles *needles, bool keeps)
{
	int ends[2], status = -1;
	if (pipe(ends) != 0)
		return -1;
	pid_t child = fork();
	if (child == 0) {
		dup2(ends[0], STDIN_FILENO);
		close(ends[0]);
		close(ends[1]);
		/* a call that the loader has yet to resolve saves all registers to the stack, with whatever a copy left in them */
		setenv("LD_BIND_NOW", "1", 1);
		execl(program, program, keeps ? "keep" : "search", file, (char *)NULL);
		_exit(3);
	}
	close(ends[0]);
	CHECK(write(ends[1], needles, sizeof(*needles)) == (ssize_t)sizeof(*needles));
	close(ends[1]);
	CHECK(waitpid(child, &status, 0) == child);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* ------------------------------------------------------------------ making */

/* The key itself, and all that holds it: the PFX, and that as base64, plain or as UTF-16. */
static void stays_nowhere(const char *program, struct pfx_wish wish, bool wide)
{
	struct needles *needles = calloc(1, sizeof(*needles));
	struct arena *arena = arena_new();
	struct built_pfx pfx = build_pfx(wish);
	const char *base64 = base64_of(arena, pfx.bytes, pfx.length);
	const char *text = built_document(arena, base64, vault_place_of_east);
	size_t length = strlen(text), at = 0;
	char *bytes = arena_alloc(arena, length * 2 + 2), path[300], reason[300] = "";
	unsigned char *key = NULL;
	int key_bytes = i2d_PrivateKey(pfx.key, &key);
	add_all_of(needles, key, (size_t)key_bytes / 3,
		   4); /* the number; the curve and the public key come behind it */
	add_encrypted(needles, pfx.bytes, (long)pfx.length);
	add_all_of(needles, base64, strlen(base64), 32);
	if (wide) {
		bytes[at++] = (char)0xff;
		bytes[at++] = (char)0xfe;
	}
	for (size_t i = 0; i < length; i++) {
		bytes[at++] = text[i];
		if (wide)
			bytes[at++] = '\0';
	}
	temporary_path("vault.VaultCredentials", path, sizeof(path));
	CHECK(os_write_file(path, bytes, at, reason, sizeof(reason)));
	CHECK_INT(run_search(program, path, needles, false), 0);
	if (!wide)
		CHECK_INT(run_search(program, path, needles, true), 1);
	remove(path);
	OPENSSL_free(key);
	built_pfx_free(&pfx);
	arena_free(arena);
	free(needles);
}

int main(int argc, char **argv)
{
	if (argc == 3)
		_exit(search(argv[2], STDIN_FILENO, strcmp(argv[1], "keep") == 0));
	build_with_legacy(true);
	stays_nowhere(argv[0], (struct pfx_wish){0}, false);
	stays_nowhere(argv[0], (struct pfx_wish){.key = DES3, .certificate = RC2}, false);
	stays_nowhere(argv[0], (struct pfx_wish){.key = DES3, .certificate = DES3}, true);
	stays_nowhere(argv[0], (struct pfx_wish){.certificate = -1}, false);
	stays_nowhere(argv[0], (struct pfx_wish){.key = -1}, false);
	stays_nowhere(argv[0], (struct pfx_wish){.key = -1, .certificate = -1, .without_mac = true}, false);
	build_with_legacy(false);
	return check_summary();
}
