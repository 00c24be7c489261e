/* Which cloud, region and target set a vault credentials file means, and what of a set it makes exact. */
#include "probe/core/arena.h"
#include "targets/vault.h"
#include "tests/unit/check.h"

static struct arena *arena;

static void clouds(void)
{
	static const char *const hosts[][2] = {
		{"login.microsoftonline.com", "public"},
		{"LOGIN.Microsoftonline.COM", "public"},
		{"logincert.microsoftonline.com", "public"},
		{"login.windows.net", "public"},
		{"login.microsoft.com", "public"},
		{"login-us.microsoftonline.com", "usgov"},
		{"login.microsoftonline.us", "usgov"},
		{"login.partner.microsoftonline.cn", "china"},
		{"login.chinacloudapi.cn", "china"},
		{"login.microsoftonline.de", NULL},
		{"microsoftonline.com", NULL},
		{"login.microsoftonline.com.evil.example", NULL},
		{"evilmicrosoftonline.com", NULL},
		{"", NULL},
	};
	for (size_t i = 0; i < sizeof(hosts) / sizeof(hosts[0]); i++)
		CHECK_TEXT(vault_cloud_of_host(hosts[i][0]), hosts[i][1]);
	CHECK_TEXT(vault_cloud_of_host(NULL), NULL);
	CHECK_TEXT(vault_set_name(&(struct vault_file){.cloud = "public"}), "mars-public");
	CHECK_TEXT(vault_set_name(&(struct vault_file){.cloud = "usgov"}), "mars-usgov");
	CHECK_TEXT(vault_set_name(&(struct vault_file){.cloud = "china"}), "mars-china");
	CHECK_TEXT(vault_set_name(&(struct vault_file){.cloud = "moon"}), NULL);
	CHECK_TEXT(vault_set_name(&(struct vault_file){0}), NULL);
}

static void region_is(const char *location, const char *endpoint, const char *region)
{
	struct vault_file vault = {.location = location, .endpoint = endpoint};
	vault_place(arena, &vault);
	CHECK_TEXT(vault.region, region);
}

static void regions(void)
{
	region_is("eastus", NULL, "eus");
	region_is("East US", NULL, "eus");
	region_is("EASTUS2", NULL, "eus2");
	region_is("usgovvirginia", NULL, "ugv");
	region_is("chinanorth2", NULL, "bjb2");
	region_is("italynorth", NULL, NULL);
	region_is("", NULL, NULL);
	region_is(NULL, NULL, NULL);
	region_is("eastus", "https://management.azure.com", "eus");
	/* the service's own name knows better, also of regions that no table has */
	region_is("italynorth", "https://pod01-id1.itn.backup.windowsazure.com", "itn");
	region_is("eastus", "https://pod01-id1.jpe.backup.windowsazure.com", "jpe");
	region_is("eastus", "https://jpe.backup.windowsazure.com", "jpe");
	region_is("eastus", "https://pod01.no-code.backup.windowsazure.com", "eus");
	region_is("eastus", "https://x.farthertenletters.backup.windowsazure.com", "eus");
}

/* ------------------------------------------------------------------ exact endpoints */

static struct target_set set_of(const char *name, const struct vault_file *vault)
{
	struct target_set set = {0};
	struct err err;
	struct target_options options = {.arena = arena, .region = "eus"};
	CHECK(targets_load(&options, name, &set, &err));
	vault_use_endpoints(arena, vault, &set);
	return set;
}

static const struct target *find(const struct target_set *set, const char *host)
{
	for (size_t i = 0; i < set->count; i++)
		if (check_text(set->targets[i]->host, host))
			return set->targets[i];
	return NULL;
}

static void endpoints(void)
{
	struct vault_file vault = {.cloud = "public", .authority = "https://login.windows.net"};
	size_t count = set_of("mars-public", &(struct vault_file){0}).count;

	/* one that stood for a rule is the vault's own now */
	struct target_set set = set_of("mars-public", &vault);
	CHECK_INT(set.count, count);
	CHECK(!find(&set, "login.windows.net")->stand_in && find(&set, "login.windows.net")->required);
	CHECK(find(&set, "pod01-id1.eus.backup.windowsazure.com")->stand_in);

	/* one that is in no set yet, beside its like */
	vault = (struct vault_file){.cloud = "public",
				    .authority = "https://logincert.microsoftonline.com",
				    .endpoint = "https://pod02-id1.eus.backup.windowsazure.com"};
	set = set_of("mars-public", &vault);
	CHECK_INT(set.count, count + 2);
	const struct target *login = find(&set, "logincert.microsoftonline.com"),
			    *backup = find(&set, "pod02-id1.eus.backup.windowsazure.com");
	CHECK(login && backup);
	CHECK_TEXT(login->url, "https://logincert.microsoftonline.com/");
	CHECK_TEXT(login->rule, "*.microsoftonline.com");
	CHECK_TEXT(login->service, "entra");
	CHECK_INT(login->port, 443);
	CHECK(login->required && !login->stand_in && login->expect.status_count == 2);
	CHECK_TEXT(backup->rule, "*.windowsazure.com");
	CHECK_TEXT(backup->service, "backup");
	CHECK(backup->required && !backup->stand_in && !backup->regional);

	/* nobody is contacted whom no rule of the set covers, and no set of another cloud is touched */
	vault = (struct vault_file){.cloud = "public",
				    .authority = "https://login.evil.example",
				    .endpoint = "https://x.backup.windowsazure.com.evil.example"};
	CHECK_INT(set_of("mars-public", &vault).count, count);
	vault = (struct vault_file){.cloud = "public", .endpoint = "https://management.azure.com"};
	CHECK_INT(set_of("mars-public", &vault).count, count);
	vault = (struct vault_file){.cloud = "usgov", .authority = "https://login.windows.net"};
	set = set_of("mars-public", &vault);
	CHECK(find(&set, "login.windows.net")->stand_in);
	vault = (struct vault_file){.cloud = "usgov", .authority = "https://login.microsoftonline.us"};
	set = set_of("mars-usgov", &vault);
	CHECK(find(&set, "login.microsoftonline.us")->required);
}

int main(void)
{
	arena = arena_new();
	clouds();
	regions();
	endpoints();
	arena_free(arena);
	return check_summary();
}
