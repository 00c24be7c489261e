#ifndef MARSPROBE_SETTINGS_PAC_RESULT_H
#define MARSPROBE_SETTINGS_PAC_RESULT_H

struct arena;
struct text_list;

enum { PAC_RESULT_PARTS_MAX = 32, PAC_DROPPED_BYTES_MAX = 100 };

/**
 * Read what a PAC script returned (wininet.md 4.1): parts between semicolons, tried in this order.
 *
 * Output  via: "PROXY host:port", "SOCKS host:port", "SOCKS5 host:port", "HTTPS host:port" or "DIRECT", host in lower case; one "DIRECT"
 *         where nothing is left. dropped: parts that are not understood, as written but cut, with *** for what may be a password.
 *         At most PAC_RESULT_PARTS_MAX of each; the last of dropped then says that there were more.
 * Input   untrusted UTF-8, NULL counts as empty. Both lists go into the arena.
 */
void pac_result_parse(struct arena *arena, const char *text, struct text_list *via, struct text_list *dropped);

#endif
