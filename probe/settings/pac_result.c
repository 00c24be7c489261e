#include "probe/settings/pac_result.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <strings.h>

#include "probe/core/address.h"
#include "probe/core/arena.h"
#include "probe/core/evidence.h"

enum { HOST_BYTES_MAX = 255, PLACE_BYTES_MAX = HOST_BYTES_MAX + sizeof("[]:65535") };

/* Chromium's and Mozilla's words, of which Windows certainly knows PROXY, SOCKS and DIRECT. HTTP is Mozilla's alone: where it stands, Windows and
 * Chromium pass over it, and so do we. */
static const struct keyword {
	const char *word, *via;
	int default_port; /* 0: takes no host */
} keywords[] = {
	{"DIRECT", "DIRECT", 0},   {"PROXY", "PROXY", 80},     {"SOCKS", "SOCKS", 1080},
	{"SOCKS4", "SOCKS", 1080}, {"SOCKS5", "SOCKS5", 1080}, {"HTTPS", "HTTPS", 443},
};

static const char blanks[] = " \t";

/* The keyword that a part begins with, and where what follows it begins; NULL if it is none. */
static const struct keyword *read_keyword(const char *part, const char **rest)
{
	size_t length = strcspn(part, blanks);
	*rest = part + length + strspn(part + length, blanks);
	for (size_t i = 0; i < sizeof(keywords) / sizeof(*keywords); i++)
		if (strlen(keywords[i].word) == length && strncasecmp(part, keywords[i].word, length) == 0)
			return &keywords[i];
	return NULL;
}

/* Letters of a name to lower case; false if it holds anything else. */
static bool lower_name(char *name)
{
	for (char *at = name; *at; at++) {
		if (*at >= 'A' && *at <= 'Z')
			*at = (char)(*at - 'A' + 'a');
		bool letter = (*at >= 'a' && *at <= 'z') || (*at >= '0' && *at <= '9');
		if (!letter && !strchr("-._", *at))
			return false;
	}
	return *name != '\0';
}

/* "host", "host:port", "[v6]" or "[v6]:port" in its full form; NULL if it is none. IPv6 stands in brackets alone. */
static const char *read_place(struct arena *arena, const char *text, int default_port)
{
	char host[HOST_BYTES_MAX + 1], canonical[ADDRESS_TEXT_BYTES], place[PLACE_BYTES_MAX];
	struct address address;
	int port = -1;
	if (!host_port_split(text, host, sizeof(host), &port))
		return NULL;
	bool literal = address_parse(host, &address) && address.family == 6;
	if (literal ? *text != '[' : *text == '[' || !lower_name(host))
		return NULL;
	return arena_strdup(arena, host_port_format(literal ? address_format(&address, canonical) : host,
						    port < 0 ? default_port : port, place, sizeof(place)));
}

/* One part without blanks around; NULL if it is not understood. */
static const char *read_part(struct arena *arena, const char *part)
{
	const char *rest;
	const struct keyword *keyword = read_keyword(part, &rest);
	if (!keyword || (keyword->default_port == 0) != (*rest == '\0'))
		return NULL;
	if (keyword->default_port == 0)
		return keyword->via;
	const char *place = read_place(arena, rest, keyword->default_port);
	return place ? arena_printf(arena, "%s %s", keyword->via, place) : NULL;
}

/* Cut before a character that would not be whole. */
static const char *shortened(struct arena *arena, const char *text)
{
	size_t length = strlen(text);
	if (length <= PAC_DROPPED_BYTES_MAX)
		return text;
	length = PAC_DROPPED_BYTES_MAX;
	while (length > 0 && ((unsigned char)text[length] & 0xC0) == 0x80)
		length--;
	return arena_printf(arena, "%.*s...", (int)length, text);
}

/* As written, but for a password: it may hold semicolons, so in front of the text's last '@' nothing but a keyword is shown. */
static const char *shown(struct arena *arena, const char *part, bool sign_follows)
{
	const char *rest, *sign = strrchr(part, '@');
	const struct keyword *keyword = read_keyword(part, &rest);
	if (!sign && !sign_follows)
		return shortened(arena, part);
	return shortened(arena, arena_printf(arena, "%s%s***%s", keyword ? keyword->word : "", keyword ? " " : "",
					     sign && !sign_follows ? sign : ""));
}

static void add_limited(struct arena *arena, struct text_list *list, const char *text)
{
	if (list->count < PAC_RESULT_PARTS_MAX)
		text_list_add(arena, list, text);
}

static void take_part(struct arena *arena, const char *part, bool sign_follows, struct text_list *via,
		      struct text_list *dropped)
{
	const char *route = read_part(arena, part);
	if (route && via->count < PAC_RESULT_PARTS_MAX)
		text_list_add(arena, via, route);
	else if (dropped->count < PAC_RESULT_PARTS_MAX - 1)
		text_list_add(arena, dropped, shown(arena, part, sign_follows));
	else
		add_limited(arena, dropped, "(more, which are not shown)");
}

void pac_result_parse(struct arena *arena, const char *text, struct text_list *via, struct text_list *dropped)
{
	*via = *dropped = (struct text_list){0};
	text = text ? text : "";
	const char *last_sign = strrchr(text, '@');
	while (*text) {
		text += strspn(text, " \t;");
		size_t length = strcspn(text, ";"), end = length;
		while (end > 0 && strchr(blanks, text[end - 1]))
			end--;
		if (end > 0)
			take_part(arena, arena_strndup(arena, text, end), last_sign && last_sign > text + length, via,
				  dropped);
		text += length;
	}
	if (via->count == 0)
		text_list_add(arena, via, "DIRECT");
}
