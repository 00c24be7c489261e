#include "probe/settings/proxy_view.h"

#include <string.h>

#include "probe/core/arena.h"
#include "probe/settings/encoding.h"
#include "probe/settings/mask.h"

static const char *add(struct arena *arena, const char *text, const char *what, const char *value)
{
	if (!value || !*value)
		return text;
	return arena_printf(arena, "%s%s%s%s", text, *text ? "; " : "", what, value);
}

const char *proxy_view_text(struct arena *arena, const struct proxy_view *view)
{
	const char *text = view->auto_detect ? "automatic detection" : "";
	text = add(arena, text, "PAC ", mask_url(arena, encoding_clean(arena, view->pac_url)));
	text = add(arena, text, "proxy ", mask_passwords(arena, encoding_clean(arena, view->proxy)));
	text = add(arena, text, "bypass ", mask_passwords(arena, encoding_clean(arena, view->bypass)));
	return *text ? text : "no proxy";
}

const char *proxy_view_of_setting(struct arena *arena, const struct proxy_setting *setting)
{
	const struct proxy_view view = {
		.auto_detect = setting->auto_detect,
		.pac_url = setting->pac_enabled ? setting->pac_url : NULL,
		.proxy = setting->proxy_enabled ? setting->proxy_server : NULL,
		.bypass = setting->proxy_enabled ? setting->proxy_bypass : NULL,
	};
	const char *text = proxy_view_text(arena, &view);
	return setting->blob_found ? text : arena_printf(arena, "%s (there is no DefaultConnectionSettings)", text);
}

static bool is_set(const char *text)
{
	return text && *text;
}

bool proxy_view_agrees(struct arena *arena, const struct proxy_view *view, const struct proxy_setting *setting)
{
	bool is_default = view->auto_detect && !is_set(view->pac_url) && !is_set(view->proxy);
	bool holds_nothing = !setting->pac_enabled && !setting->proxy_enabled;
	struct proxy_setting compared = *setting;
	if (!setting->blob_found && is_default && holds_nothing)
		return true;
	compared.blob_found = true; /* no remark in the text */
	return strcmp(proxy_view_text(arena, view), proxy_view_of_setting(arena, &compared)) == 0;
}
