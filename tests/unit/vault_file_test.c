/* Vault credentials files: what is read of them, and what is refused and how. */
#include "targets/vault.h"

#include "tests/unit/check.h"
#include "tests/unit/check_file.h"
#include "tests/unit/vault_builder.h"

static struct arena *arena;

static struct vault_file read_bytes(const char *bytes, size_t length)
{
	struct vault_file vault;
	struct err err = {""};
	CHECK(vault_file_parse(arena, "x.VaultCredentials", bytes, length, &vault, &err));
	CHECK_TEXT(err.text, "");
	return vault;
}

static struct vault_file read_text(const char *text)
{
	return read_bytes(text, strlen(text));
}

static struct vault_file read_pfx(struct pfx_wish wish)
{
	return read_text(built_document(arena, built_base64(arena, wish), vault_place_of_east));
}

/* ------------------------------------------------------------------ the certificate */

static void both_kinds_of_pfx(void)
{
	static const struct {
		int key, certificate;
		const char *encryption;
	} kinds[] = {
		{AES, AES, "AES-256-CBC"},
		{DES3, DES3, "PBE-SHA1-3DES"},
		{DES3, RC2, "PBE-SHA1-RC2-40"},
		{DES3, -1, NULL},
		{-1, -1, NULL},
	};
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		struct vault_file vault =
			read_pfx((struct pfx_wish){.key = kinds[i].key, .certificate = kinds[i].certificate});
		CHECK_TEXT(vault.certificate, "read");
		CHECK_TEXT(vault.encryption, kinds[i].encryption);
		CHECK_TEXT(vault.subject, "CN=contoso-vault");
		CHECK_INT(vault.not_before_s, 1769850000);
		CHECK_INT(vault.not_after_s, 1769850000 + 48 * 3600);
		CHECK(vault.thumbprint && strlen(vault.thumbprint) == 40);
	}
}

static void state_is(struct pfx_wish wish, const char *state)
{
	struct vault_file vault = read_pfx(wish);
	CHECK_TEXT(vault.certificate, state);
	bool dated = strcmp(state, "read") == 0 || strcmp(state, "no_key") == 0;
	CHECK((vault.not_before_s != NOT_MEASURED) == dated);
	CHECK((vault.thumbprint != NULL) == dated);
}

static void states(void)
{
	state_is((struct pfx_wish){.without_mac = true}, "read");
	state_is((struct pfx_wish){.without_key = true}, "no_key");
	state_is((struct pfx_wish){.without_certificate = true}, "no_certificate");
	state_is((struct pfx_wish){.without_certificate = true, .without_key = true}, "no_certificate");
	state_is((struct pfx_wish){.password = "correct-horse"}, "password");
	state_is((struct pfx_wish){.password = "correct-horse", .without_mac = true}, "unreadable");
	/* minutes or years of deriving keys are nobody's patience */
	state_is((struct pfx_wish){.mac_rounds = 1000001}, "unreadable");
	state_is((struct pfx_wish){.rounds = 1000001, .key = -1, .without_mac = true}, "unreadable");
	/* of two certificates the key's own */
	state_is((struct pfx_wish){.another_first = true}, "read");
	CHECK_TEXT(read_pfx((struct pfx_wish){.another_first = true}).subject, "CN=contoso-vault");
	CHECK_TEXT(read_pfx((struct pfx_wish){.another_first = true, .without_key = true}).subject, "CN=another");
}

static void damage_is(const char *base64, const char *state)
{
	CHECK_TEXT(read_text(built_document(arena, base64, "")).certificate, state);
}

static void damaged(void)
{
	const char *whole = built_base64(arena, (struct pfx_wish){0});
	size_t length = strlen(whole);
	damage_is("", "absent");
	damage_is(" \n ", "absent");
	damage_is("AAAA", "no_pfx");
	damage_is("MIIB", "no_pfx");
	damage_is("A", "no_base64");
	damage_is("====", "no_base64");
	damage_is("AAA=AAAA", "no_base64");
	damage_is("AAAA&#228;AAA", "no_base64");
	damage_is(arena_strndup(arena, whole, length / 8 * 4), "no_pfx");
	damage_is(arena_strndup(arena, whole, length / 8 * 4 + 1), "no_base64");
	char *changed = arena_strdup(arena, whole);
	changed[length / 2] = changed[length / 2] == 'A' ? 'B' : 'A';
	const char *state = read_text(built_document(arena, changed, "")).certificate;
	CHECK(strcmp(state, "password") == 0 || strcmp(state, "no_pfx") == 0);
	CHECK_TEXT(read_text("<RSBackupVaultAADCreds/>").certificate, "absent");
	/* as an XML writer may break it */
	char *broken = arena_alloc(arena, length * 3);
	for (size_t i = 0, at = 0; i < length; i++) {
		if (i % 64 == 0)
			at += (size_t)sprintf(broken + at, "\r\n\t ");
		broken[at++] = whole[i];
	}
	damage_is(broken, "read");
	damage_is(arena_printf(arena, "<![CDATA[%s]]>", whole), "read");
	damage_is(arena_printf(arena, "<!-- x -->%s<?y z?>", whole), "read");
}

/* ------------------------------------------------------------------ forms */

static void backup(void)
{
	struct vault_file vault = read_pfx((struct pfx_wish){0});
	CHECK_TEXT(vault.file, "x.VaultCredentials");
	CHECK_TEXT(vault.kind, "backup");
	CHECK_TEXT(vault.version, "1.0");
	CHECK_TEXT(vault.vault, "contoso-vault");
	CHECK_TEXT(vault.location, "eastus");
	CHECK_TEXT(vault.tenant_id, "0ec4a9c1-72b5-43c4-8a8d-0a1b2c3d4e5f");
	CHECK_TEXT(vault.authority, "https://login.microsoftonline.com");
	CHECK_TEXT(vault.endpoint, "https://management.azure.com");
	CHECK_TEXT(vault.cloud, "public");
	CHECK_TEXT(vault.region, "eus");
}

/* What a newer file has more, an older one is ignorant of; a prefix is only another way of writing; the first of a name counts. */
static void unknown_elements(void)
{
	struct vault_file vault =
		read_text("<a:RSBackupVaultAADCreds "
			  "xmlns:a=\"http://x\"><Extra>1</Extra><Deep><Location>far</Location><B><C>2</C></B></Deep>"
			  "<a:Location> East US "
			  "</a:Location><Location>westus</Location><Version/><AadTenantId>t<x>u</x>v</AadTenantId>"
			  "<AadAuthority>https://login.microsoftonline.us:443/common?secret=1</AadAuthority></"
			  "a:RSBackupVaultAADCreds>");
	CHECK_TEXT(vault.kind, "backup");
	CHECK_TEXT(vault.location, "far");
	CHECK_TEXT(vault.version, NULL);
	CHECK_TEXT(vault.tenant_id, "tv");
	CHECK_TEXT(vault.authority, "https://login.microsoftonline.us");
	CHECK_TEXT(vault.cloud, "usgov");
}

static void authority_is(const char *text, const char *kept)
{
	struct vault_file vault = read_text(arena_printf(
		arena, "<RSBackupVaultAADCreds><AadAuthority>%s</AadAuthority></RSBackupVaultAADCreds>", text));
	CHECK_TEXT(vault.authority, kept);
}

static void authorities(void)
{
	authority_is("https://login.windows.net/", "https://login.windows.net");
	authority_is("https://LOGIN.Windows.net/x/y?z#w", "https://login.windows.net");
	authority_is("https://u:hunter2@login.windows.net/", "https://login.windows.net");
	authority_is("http://login.windows.net/", NULL);
	authority_is("https://login.windows.net:8443/", NULL);
	authority_is("https://[::1]/", NULL);
	authority_is("https://a b/", NULL);
	authority_is("login.windows.net", NULL);
	authority_is("", NULL);
}

static void other_kinds(void)
{
	struct vault_file vault =
		read_text("<RSVaultAsrCreds><VaultDetails><ResourceName>v</ResourceName><Location>westeurope</"
			  "Location></VaultDetails>"
			  "<AadDetails><AadAuthority>https://login.windows.net</AadAuthority><AadVaultAudience>https://"
			  "x.example</AadVaultAudience>"
			  "</AadDetails><ChannelIntegrityKey>SECRET</ChannelIntegrityKey></RSVaultAsrCreds>");
	CHECK_TEXT(vault.kind, "site_recovery");
	CHECK_TEXT(vault.vault, "v");
	CHECK_TEXT(vault.region, "we");
	CHECK_TEXT(vault.endpoint, "https://x.example");
	CHECK_TEXT(read_text("<ASRVaultCreds/>").kind, "site_recovery");
	vault = read_text("<BackupVaultCreds><ResourceName>old</"
			  "ResourceName><AcsNamespace><HostName>accounts.accesscontrol.windows.net"
			  "</HostName></AcsNamespace></BackupVaultCreds>");
	CHECK_TEXT(vault.kind, "backup_acs");
	CHECK_TEXT(vault.vault, "old");
	CHECK_TEXT(vault.cloud, NULL);
	CHECK_TEXT(vault.region, NULL);
}

/* ------------------------------------------------------------------ encodings */

/* ASCII as UTF-16. */
static char *widen(const char *text, bool big, bool mark, size_t *length)
{
	size_t count = strlen(text), at = 0;
	char *wide = arena_alloc(arena, count * 2 + 2);
	if (mark) {
		wide[at++] = (char)(big ? 0xfe : 0xff);
		wide[at++] = (char)(big ? 0xff : 0xfe);
	}
	for (size_t i = 0; i < count; i++) {
		wide[at++] = big ? '\0' : text[i];
		wide[at++] = big ? text[i] : '\0';
	}
	*length = at;
	return wide;
}

/* PowerShell makes UTF-16 of a file and leaves its declaration, which says UTF-8. */
static void encodings(void)
{
	const char *text = built_document(arena, built_base64(arena, (struct pfx_wish){0}), vault_place_of_east);
	for (int i = 0; i < 4; i++) {
		size_t length = 0;
		char *wide = widen(text, i & 1, i & 2, &length);
		struct vault_file vault = read_bytes(wide, length);
		CHECK_TEXT(vault.certificate, "read");
		CHECK_TEXT(vault.vault, "contoso-vault");
	}
	CHECK_TEXT(read_text(arena_printf(arena, "\xef\xbb\xbf%s", text)).certificate, "read");
	CHECK_TEXT(
		read_text("<?xml version='1.0' encoding='iso-8859-1'?><BackupVaultCreds><Location>M\xfcnchen</Location>"
			  "</BackupVaultCreds>")
			.location,
		"M\xc3\xbcnchen");
	CHECK_TEXT(read_text("<BackupVaultCreds><Location>M\xc3\xbcnchen</Location></BackupVaultCreds>").location,
		   "M\xc3\xbcnchen");
}

/* ------------------------------------------------------------------ refused */

static void refused_bytes(const char *bytes, size_t length, const char *message)
{
	struct vault_file vault;
	struct err err = {""};
	CHECK(!vault_file_parse(arena, "x.VaultCredentials", bytes, length, &vault, &err));
	CHECK(strncmp(err.text, "x.VaultCredentials:", strlen("x.VaultCredentials:")) == 0);
	if (!strstr(err.text, message))
		printf("got \"%s\", wanted \"%s\"\n", err.text, message);
	CHECK(strstr(err.text, message) != NULL);
	CHECK(!strstr(err.text, "SECRET"));
}

static void refused(const char *text, const char *message)
{
	refused_bytes(text, strlen(text), message);
}

static const char *repeated(const char *text, size_t times)
{
	size_t length = strlen(text);
	char *all = arena_alloc(arena, length * times + 1);
	for (size_t i = 0; i < times; i++)
		memcpy(all + i * length, text, length);
	return all;
}

#define ROOT "<RSBackupVaultAADCreds>"

static void what_is_no_such_file(void)
{
	refused("", ":1: not the XML of vault credentials");
	refused("SECRET", ":1: not the XML");
	refused("\n\n{\"ManagementCert\": \"SECRET\"}", ":3: not the XML");
	refused("-----BEGIN SECRET-----", ":1: not the XML");
	refused("<html><body/></html>", ":1: its outermost element html is not that of vault credentials");
	refused("<SECR\xc3\xa4T/>", ":1: its outermost element is not");
	refused("<RSBackupVaultAADCredsX/>", "outermost");
	refused(ROOT "\n<ManagementCert>SECRET", ":2: not the XML of vault credentials, or not all of it");
	refused(ROOT "\n</Wrong>", ":2: ");
	refused(ROOT "</RSBackupVaultAADCreds>SECRET", ":1: ");
	refused("<?xml version='1.0' encoding='ebcdic-cp-us'?>" ROOT "</RSBackupVaultAADCreds>", "unknown encoding");
	refused(ROOT "\xff</RSBackupVaultAADCreds>", "not well-formed");
	refused_bytes(ROOT "\0</RSBackupVaultAADCreds>", 48, "not well-formed");
}

static void what_is_hostile(void)
{
	refused("<!DOCTYPE RSBackupVaultAADCreds [<!ENTITY a \"SECRET\"><!ENTITY b \"&a;&a;&a;&a;&a;&a;&a;&a;\">\n"
		"<!ENTITY c \"&b;&b;&b;&b;&b;&b;&b;&b;\">]>" ROOT "&c;</RSBackupVaultAADCreds>",
		": a DOCTYPE, which vault credentials do not have");
	refused("<!DOCTYPE a SYSTEM \"file:///etc/passwd\">" ROOT "</RSBackupVaultAADCreds>", "DOCTYPE");
	refused(ROOT "&undefined;</RSBackupVaultAADCreds>", "undefined entity");
	refused(arena_printf(arena, ROOT "%s", repeated("<a>", 16)), "nested deeper");
	refused(arena_printf(arena, ROOT "%s", repeated("<a/>", 1000)), "more elements");
	refused(arena_printf(arena, ROOT "<Location>%s", repeated("x", VAULT_TEXT_BYTES_MAX + 1)), "longer than");
	size_t length = VAULT_FILE_BYTES_MAX + 1;
	refused_bytes(repeated(" ", length), length, "larger than");
	/* within the limits, and no harm */
	CHECK_TEXT(read_text(arena_printf(arena, "<RSBackupVaultAADCreds a=\"%s\"/>", repeated("x", 200000))).kind,
		   "backup");
	CHECK_TEXT(
		read_text(arena_printf(arena, ROOT "<Other>%s</Other></RSBackupVaultAADCreds>", repeated("x", 200000)))
			.kind,
		"backup");
	CHECK_TEXT(read_text(built_document(arena, repeated("AAAA", 60000), "")).certificate, "no_pfx");
}

static void files(void)
{
	char path[300], reason[300] = "";
	struct vault_file vault;
	struct err err = {""};
	temporary_path("vault.VaultCredentials", path, sizeof(path));
	CHECK(!vault_file_read(arena, path, &vault, &err));
	char words[300];
	CHECK_TEXT(err.text, arena_printf(arena, "%s: %s", path, words_for_a_missing_file(path, words, sizeof(words))));
	const char *text = built_document(arena, built_base64(arena, (struct pfx_wish){0}), vault_place_of_east);
	CHECK(os_write_file(path, text, strlen(text), reason, sizeof(reason)));
	CHECK(vault_file_read(arena, path, &vault, &err));
	CHECK_TEXT(vault.certificate, "read");
	CHECK_TEXT(vault.file, path);
	size_t length = VAULT_FILE_BYTES_MAX + 1;
	CHECK(os_write_file(path, repeated(" ", length), length, reason, sizeof(reason)));
	CHECK(!vault_file_read(arena, path, &vault, &err));
	CHECK(strstr(err.text, "larger than 262144 bytes") != NULL);
	remove(path);
}

int main(void)
{
	arena = arena_new();
	build_with_legacy(true);
	both_kinds_of_pfx();
	states();
	damaged();
	backup();
	unknown_elements();
	authorities();
	other_kinds();
	encodings();
	what_is_no_such_file();
	what_is_hostile();
	files();
	arena_free(arena);
	build_with_legacy(false);
	return check_summary();
}
