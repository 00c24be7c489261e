/* Binary settings byte by byte: versions, lengths that lie, ends that are missing. What they mean is in settings_blob_test.c. */
#include "probe/core/arena.h"
#include "probe/settings/blob.h"
#include "tests/unit/check.h"

enum { TEXTS = 3, BYTES_MAX = 256, TAIL_BYTES = 32 };

static struct arena *arena;

struct bytes {
	unsigned char data[BYTES_MAX];
	size_t length;
	size_t length_at[TEXTS]; /* where the length of each text stands */
};

static void put_number(unsigned char *at, unsigned number)
{
	for (int i = 0; i < 4; i++, number >>= 8)
		at[i] = (unsigned char)(number & 0xff);
}

static void add_number(struct bytes *out, unsigned number)
{
	put_number(out->data + out->length, number);
	out->length += 4;
}

/* A blob of that version: "p:80", "*.corp", "http://x/" (not below 0x3C), without its tail. */
static struct bytes make(unsigned version, unsigned counter, unsigned flags)
{
	static const char *const texts[TEXTS] = {"p:80", "*.corp", "http://x/"};
	struct bytes out = {.length = 0};
	add_number(&out, version);
	add_number(&out, counter);
	add_number(&out, flags);
	for (size_t i = 0; i < (version < 0x3c ? 2 : TEXTS); i++) {
		out.length_at[i] = out.length;
		add_number(&out, (unsigned)strlen(texts[i]));
		memcpy(out.data + out.length, texts[i], strlen(texts[i]));
		out.length += strlen(texts[i]);
	}
	return out;
}

/* NULL if it is read, else the reason. */
static const char *parse(enum blob_kind kind, const struct bytes *bytes, size_t length, struct blob *blob)
{
	const char *problem = NULL;
	bool read = blob_parse(arena, kind, bytes->data, length, blob, &problem);
	CHECK(read == (problem == NULL));
	CHECK(blob->proxy && blob->bypass && blob->pac);
	return read ? NULL : problem;
}

struct version_case {
	unsigned version;
	bool connection, winhttp; /* read as that kind */
};

static const struct version_case version_cases[] = {
	{0x3c, true, true},   {0x46, true, true},   {0x18, false, true},  {0x28, false, true},
	{0x00, false, false}, {0x3b, false, false}, {0x47, false, false}, {0xffffffff, false, false},
};

static void test_versions(void)
{
	for (size_t i = 0; i < sizeof(version_cases) / sizeof(*version_cases); i++) {
		const struct version_case *one = &version_cases[i];
		struct bytes bytes = make(one->version, 1, 3);
		struct blob blob;
		const char *problem = parse(BLOB_CONNECTION, &bytes, bytes.length, &blob);
		CHECK(one->connection ? !problem : problem && strstr(problem, "version"));
		problem = parse(BLOB_WINHTTP, &bytes, bytes.length, &blob);
		CHECK(one->winhttp ? !problem : problem && strstr(problem, "version"));
		if (!one->winhttp)
			continue;
		CHECK_TEXT(blob.proxy, "p:80");
		CHECK_TEXT(blob.bypass, "*.corp");
		CHECK_TEXT(blob.pac, one->version < 0x3c ? "" : "http://x/");
	}
}

/* Any counter is valid; flags are given as they stand. */
static void test_numbers(void)
{
	static const unsigned numbers[] = {0, 1, 0x7fffffff, 0x80000000, 0xffffffff};
	for (size_t i = 0; i < sizeof(numbers) / sizeof(*numbers); i++) {
		struct bytes bytes = make(0x46, numbers[i], numbers[i]);
		struct blob blob;
		CHECK_TEXT(parse(BLOB_CONNECTION, &bytes, bytes.length, &blob), NULL);
		int wanted = numbers[i] > 0x7fffffff ? 0x7fffffff : (int)numbers[i];
		CHECK_INT(blob.counter, wanted);
		CHECK_INT(blob.flags, wanted);
	}
}

/* Cut anywhere before the end of the last text it is refused; with a tail of any length it is read. */
static void test_cut(void)
{
	static const char *const parts[] = {"flags", "proxy list", "bypass list", "PAC address"};
	struct bytes bytes = make(0x46, 1, 3);
	struct blob blob;
	for (size_t length = 0; length < bytes.length; length++) {
		size_t part = 0;
		while (part < TEXTS && length >= bytes.length_at[part])
			part++;
		const char *problem = parse(BLOB_CONNECTION, &bytes, length, &blob);
		CHECK(problem && strstr(problem, parts[part]));
	}
	for (size_t tail = 0; tail <= TAIL_BYTES + 4; tail++)
		CHECK_TEXT(parse(BLOB_CONNECTION, &bytes, bytes.length + tail, &blob), NULL);
	CHECK_TEXT(blob.pac, "http://x/");
}

/* A length that points beyond the end, by one byte or by an overflow. */
static void test_lengths(void)
{
	static const char *const parts[] = {"proxy list", "bypass list", "PAC address"};
	struct bytes bytes = make(0x46, 1, 3);
	for (size_t i = 0; i < TEXTS; i++) {
		size_t left = bytes.length - bytes.length_at[i] - 4;
		const unsigned lengths[] = {(unsigned)left + 1,
					    0x7fffffff,
					    0x80000000,
					    0xffffffff,
					    (unsigned)(0x100000000 - bytes.length_at[i]),
					    (unsigned)(0x100000000 - bytes.length_at[i] - 4)};
		for (size_t j = 0; j < sizeof(lengths) / sizeof(*lengths); j++) {
			struct bytes lying = bytes;
			struct blob blob;
			put_number(lying.data + lying.length_at[i], lengths[j]);
			const char *problem = parse(BLOB_CONNECTION, &lying, lying.length, &blob);
			CHECK(problem && strstr(problem, parts[i]));
			CHECK_TEXT(blob.proxy, i > 0 ? "p:80" : "");
		}
	}
}

/* Empty texts, a NUL that was counted, bytes beyond ASCII. */
static void test_texts(void)
{
	struct bytes bytes = {.length = 0};
	struct blob blob;
	add_number(&bytes, 0x46);
	for (int i = 0; i < 5; i++)
		add_number(&bytes, 0);
	CHECK_TEXT(parse(BLOB_CONNECTION, &bytes, bytes.length, &blob), NULL);
	CHECK(!*blob.proxy && !*blob.bypass && !*blob.pac);
	bytes = make(0x46, 1, 3);
	memcpy(bytes.data + bytes.length_at[0] + 4, "p\xe9\0x", 4);
	CHECK_TEXT(parse(BLOB_CONNECTION, &bytes, bytes.length, &blob), NULL);
	CHECK_TEXT(blob.proxy, "p\xc3\xa9");
	CHECK_TEXT(blob.bypass, "*.corp");
}

int main(void)
{
	arena = arena_new();
	test_versions();
	test_numbers();
	test_cut();
	test_lengths();
	test_texts();
	arena_free(arena);
	return check_summary();
}
