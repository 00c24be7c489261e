#include "targets/vault.h"

#include <expat.h>
#include <stdlib.h>
#include <string.h>

#include "probe/core/arena.h"
#include "probe/core/url.h"
#include "probe/os/os.h"
#include "targets/target.h"
#include "targets/vault_pfx.h"

enum { REASON_BYTES = 256, ELEMENTS_MAX = 1000, LEAF_DEPTH_MAX = 3, HTTPS_PORT = 443, ROOT_NAME_MAX = 64 };

/* The roots that such files have, by their local names. */
static const struct {
	const char *root, *kind;
} kinds[] = {
	{"RSBackupVaultAADCreds", "backup"},
	{"BackupVaultCreds", "backup_acs"},
	{"RSVaultAsrCreds", "site_recovery"},
	{"ASRVaultCreds", "site_recovery"},
};

static const struct leaf {
	const char *name;
	size_t offset; /* of a const char * in struct vault_file */
	bool is_url;
} leaves[] = {
	{"Version", offsetof(struct vault_file, version), false},
	{"ResourceName", offsetof(struct vault_file, vault), false},
	{"Location", offsetof(struct vault_file, location), false},
	{"AadTenantId", offsetof(struct vault_file, tenant_id), false},
	{"AadAuthority", offsetof(struct vault_file, authority), true},
	{"IdMgmtRestEndpoint", offsetof(struct vault_file, endpoint), true},
	{"AadVaultAudience", offsetof(struct vault_file, endpoint), true},
};

/** A file while it is read. */
struct reader {
	struct arena *arena;
	struct vault_file *out;
	XML_Parser parser;
	unsigned depth, elements;
	const char *refused;	 /* why reading was stopped */
	const struct leaf *leaf; /* whose text is being read; NULL: of none that is wanted */
	unsigned leaf_depth;	 /* of it, or of the PFX; 0: neither */
	char text[VAULT_TEXT_BYTES_MAX + 1];
	size_t text_length;
	char *base64; /* the PFX; a secret. As long as the whole file, so that it never has to move */
	size_t base64_length, base64_size;
	bool has_pfx, pfx_is_open, pfx_is_bad;
};

/* ------------------------------------------------------------------ memory of the XML parser: what it frees is overwritten first */

union block {
	size_t bytes;
	max_align_t align;
};

static void *wiping_malloc(size_t bytes)
{
	union block *block = bytes <= SIZE_MAX - sizeof(*block) ? malloc(sizeof(*block) + bytes) : NULL;
	if (!block)
		return NULL;
	block->bytes = bytes;
	return block + 1;
}

static void wiping_free(void *memory)
{
	union block *block = memory;
	if (!block)
		return;
	vault_wipe(memory, block[-1].bytes);
	free(block - 1);
}

static void *wiping_realloc(void *memory, size_t bytes)
{
	void *grown = wiping_malloc(bytes);
	if (grown && memory) {
		size_t before = ((union block *)memory)[-1].bytes;
		memcpy(grown, memory, before < bytes ? before : bytes);
		wiping_free(memory);
	}
	return grown;
}

/* ------------------------------------------------------------------ elements */

static void refuse(struct reader *reader, const char *reason)
{
	if (!reader->refused)
		reader->refused = reason;
	XML_StopParser(reader->parser, XML_FALSE);
}

static const char *local_name(const char *name)
{
	const char *colon = strchr(name, ':');
	return colon ? colon + 1 : name;
}

static void take_root(struct reader *reader, const char *name)
{
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (strcmp(kinds[i].root, name) == 0)
			reader->out->kind = kinds[i].kind;
	if (reader->out->kind)
		return;
	bool fit = strlen(name) <= ROOT_NAME_MAX && is_printable_ascii(name);
	refuse(reader, arena_printf(reader->arena, "its outermost element%s%s is not that of vault credentials",
				    fit ? " " : "", fit ? name : ""));
}

static const char **leaf_text(const struct reader *reader, const struct leaf *leaf)
{
	return (const char **)(void *)((char *)reader->out + leaf->offset);
}

/* The first of each name counts. */
static void open_leaf(struct reader *reader, const char *name)
{
	for (size_t i = 0; i < sizeof(leaves) / sizeof(leaves[0]); i++) {
		if (strcmp(leaves[i].name, name) != 0 || *leaf_text(reader, &leaves[i]))
			continue;
		reader->leaf = &leaves[i];
		reader->leaf_depth = reader->depth;
		reader->text_length = 0;
	}
	if (strcmp(name, "ManagementCert") == 0 && !reader->has_pfx) {
		reader->has_pfx = reader->pfx_is_open = true;
		reader->leaf_depth = reader->depth;
	}
}

static void on_start(void *user, const XML_Char *qualified, const XML_Char **attributes)
{
	struct reader *reader = user;
	const char *name = local_name(qualified);
	(void)attributes;
	if (++reader->elements > ELEMENTS_MAX)
		refuse(reader, "more elements than vault credentials can have");
	else if (++reader->depth > VAULT_DEPTH_MAX)
		refuse(reader, "elements nested deeper than in vault credentials");
	else if (reader->depth == 1)
		take_root(reader, name);
	else if (!reader->leaf_depth && reader->depth <= LEAF_DEPTH_MAX)
		open_leaf(reader, name);
}

static bool is_base64(char c)
{
	return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '+' || c == '/' ||
	       c == '=';
}

static void add_base64(struct reader *reader, const char *text, size_t length)
{
	for (size_t i = 0; i < length; i++) {
		if (strchr(" \t\r\n", text[i]))
			continue;
		if (!is_base64(text[i]) || reader->base64_length == reader->base64_size)
			reader->pfx_is_bad = true;
		else
			reader->base64[reader->base64_length++] = text[i];
	}
}

static void on_text(void *user, const XML_Char *text, int length)
{
	struct reader *reader = user;
	if (!reader->leaf_depth || reader->depth != reader->leaf_depth)
		return;
	if (reader->pfx_is_open) {
		add_base64(reader, text, (size_t)length);
	} else if ((size_t)length > VAULT_TEXT_BYTES_MAX - reader->text_length) {
		refuse(reader, "a text longer than in vault credentials");
	} else {
		memcpy(reader->text + reader->text_length, text, (size_t)length);
		reader->text_length += (size_t)length;
	}
}

/* Scheme and host of a URL: what else stands in it is not needed, and may be anything. */
static const char *origin_of(struct reader *reader, const char *text)
{
	struct url url;
	if (!url_parse(reader->arena, text, &url) || strcmp(url.scheme, "https") != 0 || url.port != HTTPS_PORT ||
	    !host_is_valid(url.host) || strchr(url.host, ':'))
		return NULL;
	return arena_printf(reader->arena, "https://%s", url.host);
}

static void close_leaf(struct reader *reader)
{
	static const char blanks[] = " \t\r\n";
	const char *text = reader->text;
	reader->text[reader->text_length] = '\0';
	text += strspn(text, blanks);
	size_t length = strlen(text);
	while (length > 0 && strchr(blanks, text[length - 1]))
		length--;
	const char *kept = arena_strndup(reader->arena, text, length);
	if (reader->leaf->is_url)
		kept = origin_of(reader, kept);
	if (length > 0)
		*leaf_text(reader, reader->leaf) = kept;
}

static void on_end(void *user, const XML_Char *name)
{
	struct reader *reader = user;
	(void)name;
	if (reader->leaf_depth && reader->leaf_depth == reader->depth) {
		if (reader->leaf)
			close_leaf(reader);
		reader->leaf = NULL;
		reader->pfx_is_open = false;
		reader->leaf_depth = 0;
	}
	reader->depth--;
}

static void on_doctype(void *user, const XML_Char *name, const XML_Char *system, const XML_Char *public, int has_subset)
{
	(void)name, (void)system, (void)public, (void)has_subset;
	refuse(user, "a DOCTYPE, which vault credentials do not have");
}

/* ------------------------------------------------------------------ the PFX */

static int base64_value(char c)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	const char *at = strchr(digits, c);
	return at && c ? (int)(at - digits) : -1;
}

/* RFC 4648 4, in place. False where it is not whole. */
static bool decode(char *text, size_t length, size_t *out)
{
	unsigned bits = 0, held = 0;
	size_t at = 0, digits = length;
	while (digits > 0 && text[digits - 1] == '=')
		digits--;
	if (length % 4 != 0 || length - digits > 2)
		return false;
	for (size_t i = 0; i < digits; i++) {
		int value = base64_value(text[i]);
		if (value < 0)
			return false;
		bits = (bits << 6 | (unsigned)value) & 0xffffff;
		held += 6;
		if (held >= 8) {
			held -= 8;
			text[at++] = (char)(unsigned char)(bits >> held & 0xff);
		}
	}
	*out = at;
	return true;
}

static void read_pfx(struct reader *reader)
{
	size_t length = 0;
	if (!reader->has_pfx || (!reader->base64_length && !reader->pfx_is_bad))
		reader->out->certificate = "absent";
	else if (reader->pfx_is_bad || !decode(reader->base64, reader->base64_length, &length))
		reader->out->certificate = "no_base64";
	else if (length > VAULT_PFX_BYTES_MAX)
		reader->out->certificate = "no_pfx";
	else
		vault_pfx_read(reader->arena, (const unsigned char *)reader->base64, length, reader->out);
}

/* ------------------------------------------------------------------ the whole */

/* By the first bytes, whatever the declaration says: PowerShell changes the one and not the other. NULL: as the declaration says. */
static const char *encoding_of(const char *bytes, size_t length)
{
	static const struct {
		const char *encoding;
		size_t length;
		char start[5];
	} starts[] = {
		{"UTF-8", 3, "\xef\xbb\xbf"}, {"UTF-16", 2, "\xff\xfe"},	 {"UTF-16", 2, "\xfe\xff"},
		{"UTF-16LE", 4, "<\0?\0"},    {"UTF-16BE", 4, {0, '<', 0, '?'}},
	};
	for (size_t i = 0; i < sizeof(starts) / sizeof(starts[0]); i++)
		if (length >= starts[i].length && memcmp(bytes, starts[i].start, starts[i].length) == 0)
			return starts[i].encoding;
	return NULL;
}

static bool parse(struct reader *reader, const char *bytes, size_t length, struct err *err)
{
	XML_SetUserData(reader->parser, reader);
	XML_SetElementHandler(reader->parser, on_start, on_end);
	XML_SetCharacterDataHandler(reader->parser, on_text);
	XML_SetStartDoctypeDeclHandler(reader->parser, on_doctype);
	if (XML_Parse(reader->parser, bytes, (int)length, XML_TRUE) == XML_STATUS_OK && !reader->refused)
		return true;
	unsigned long line = XML_GetCurrentLineNumber(reader->parser);
	if (reader->refused)
		return err_set(err, "%s:%lu: %s", reader->out->file, line, reader->refused);
	return err_set(err, "%s:%lu: not the XML of vault credentials, or not all of it: %s", reader->out->file, line,
		       XML_ErrorString(XML_GetErrorCode(reader->parser)));
}

bool vault_file_parse(struct arena *arena, const char *file, const char *bytes, size_t length, struct vault_file *out,
		      struct err *err)
{
	static const XML_Memory_Handling_Suite memory = {wiping_malloc, wiping_realloc, wiping_free};
	struct reader reader = {.arena = arena, .out = out, .base64_size = length};
	*out = (struct vault_file){
		.file = arena_strdup(arena, file), .not_before_s = NOT_MEASURED, .not_after_s = NOT_MEASURED};
	if (length > VAULT_FILE_BYTES_MAX)
		return err_set(err, "%s: larger than %d bytes", file, VAULT_FILE_BYTES_MAX);
	reader.parser = XML_ParserCreate_MM(encoding_of(bytes, length), &memory, NULL);
	reader.base64 = xmalloc(length + 1);
	bool parsed = reader.parser && parse(&reader, bytes, length, err);
	if (!reader.parser)
		err_set(err, "%s: out of memory", file);
	if (parsed)
		read_pfx(&reader);
	XML_ParserFree(reader.parser);
	vault_wipe(reader.base64, length + 1);
	free(reader.base64);
	if (parsed)
		vault_place(arena, out);
	return parsed;
}

bool vault_file_read(struct arena *arena, const char *file, struct vault_file *out, struct err *err)
{
	char reason[REASON_BYTES] = "";
	size_t length = 0;
	char *bytes = xmalloc(VAULT_FILE_BYTES_MAX + 1);
	bool done = os_read_secret(file, bytes, VAULT_FILE_BYTES_MAX, &length, reason, sizeof(reason));
	if (!done)
		err_set(err, "%s: %s", file, reason);
	else
		done = vault_file_parse(arena, file, bytes, length, out, err);
	vault_wipe(bytes, VAULT_FILE_BYTES_MAX + 1);
	free(bytes);
	return done;
}
