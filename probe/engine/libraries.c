#include "probe/engine/engine.h"

#include <ares.h>
#include <curl/curl.h>
#include <openssl/crypto.h>
#include <uv.h>

#include "probe/core/arena.h"

static void library_add(struct report *report, const char *name, const char *version)
{
	size_t most = sizeof(report->tool.libraries) / sizeof(report->tool.libraries[0]);
	if (report->tool.library_count == most)
		return;
	report->tool.libraries[report->tool.library_count++] =
		(struct library){.name = name, .version = arena_strdup(report->arena, version)};
}

void engine_describe_libraries(struct report *report)
{
	library_add(report, "c-ares", ares_version(NULL));
	library_add(report, "libcurl", curl_version_info(CURLVERSION_NOW)->version);
	library_add(report, "openssl", OpenSSL_version(OPENSSL_VERSION_STRING));
	library_add(report, "libuv", uv_version_string());
}
