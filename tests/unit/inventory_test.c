#include "probe/routes/inventory.h"

#include "probe/core/arena.h"
#include "tests/unit/check.h"

static bool read(struct arena *arena, const char *text, struct inventory *out, struct err *err)
{
	err->text[0] = '\0';
	return inventory_read(arena, "file", text, strlen(text), out, err);
}

/* The command line's, the REST answer's and PowerShell's form of the same community. */
static const char *const forms[] = {
	"[{\"name\":\"AzureEastUS\",\"bgpCommunities\":[{\"communityName\":\"Azure East "
	"US\",\"communityValue\":\"12076:51004\","
	"\"communityPrefixes\":[\"13.82.0.0/16\",\"2603:1030:200::/47\"],\"isAuthorizedToUse\":true}]}]",
	"{\"value\":[{\"name\":\"AzureEastUS\",\"properties\":{\"serviceName\":\"x\",\"bgpCommunities\":[{"
	"\"communityName\":"
	"\"Azure East "
	"US\",\"communityValue\":\"12076:51004\",\"communityPrefixes\":[\"13.82.0.0/16\",\"2603:1030:200::/47\"]}]}}]}",
	"\xEF\xBB\xBF[{\"ServiceName\":\"x\",\"BgpCommunities\":[{\"CommunityName\":\"Azure East "
	"US\",\"CommunityValue\":"
	"\"12076:51004\",\"CommunityPrefixes\":[\"13.82.0.0/16\",\"2603:1030:200::/47\"]}]}]",
	"\r\nName           : AzureEastUS\r\nType           : "
	"Microsoft.Network/bgpServiceCommunities\r\nBgpCommunities : [\r\n"
	"   {\r\n  \"CommunityName\": \"Azure East US\",\r\n \"CommunityValue\": \"12076:51004\",\r\n "
	"\"CommunityPrefixes\": [\r\n"
	"   \"13.82.0.0/16\",\r\n \"2603:1030:200::/47\"\r\n ]\r\n }\r\n ]\r\n\r\nName : Other\r\nBgpCommunities : "
	"[]\r\n",
};

static void test_forms(struct arena *arena)
{
	for (size_t i = 0; i < sizeof(forms) / sizeof(*forms); i++) {
		struct inventory inventory;
		struct err err;
		char text[PREFIX_TEXT_BYTES];
		CHECK(read(arena, forms[i], &inventory, &err));
		CHECK_TEXT(err.text, "");
		CHECK_INT(inventory.count, 1);
		const struct inventory_community *one = inventory_find(&inventory, "12076:51004");
		CHECK(one != NULL && inventory_find(&inventory, "12076:51005") == NULL);
		if (!one)
			continue;
		CHECK_TEXT(one->name, "Azure East US");
		CHECK_INT(one->prefixes.count, 2);
		CHECK_TEXT(prefix_format(&one->prefixes.items[1], text), "2603:1030:200::/47");
	}
}

static const struct {
	const char *text, *wanted;
} bad[] = {
	{"", "file:1: no communityValue in it"},
	{"hello", "file:1: no communityValue in it"},
	{"{}", "file:1: no communityValue in it"},
	{"[{\"communityValue\":", "file:1: not JSON"},
	{"[{\"communityValue\":\"12076:1\",\n\"communityPrefixes\":[\"1.2.3.0/24\",\n\"x\"]}]", "file:3: is no prefix"},
	{"[{\"communityValue\":\"12076:1\",\n\"communityPrefixes\":{}}]", "file:1: communityPrefixes must be an array"},
	{"Name : x\nBgpCommunities : [\n{]", "file:3: not JSON"},
	{"\xFE\xFF", "file:1: the file is UTF-16"},
};

static void test_errors(struct arena *arena)
{
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		struct inventory inventory;
		struct err err;
		CHECK(!read(arena, bad[i].text, &inventory, &err));
		CHECK(strncmp(err.text, bad[i].wanted, strlen(bad[i].wanted)) == 0);
		if (strncmp(err.text, bad[i].wanted, strlen(bad[i].wanted)) != 0)
			printf("got \"%s\", wanted \"%s\"\n", err.text, bad[i].wanted);
	}
}

int main(void)
{
	struct arena *arena = arena_new();
	test_forms(arena);
	test_errors(arena);
	arena_free(arena);
	return check_summary();
}
