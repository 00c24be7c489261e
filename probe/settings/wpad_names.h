#ifndef MARSPROBE_SETTINGS_WPAD_NAMES_H
#define MARSPROBE_SETTINGS_WPAD_NAMES_H

struct arena;
struct text_list;

/* More suffixes are not looked at, and more names are not asked for. */
enum { WPAD_SUFFIXES_MAX = 16, WPAD_NAMES_MAX = 16 };

/**
 * The names that DNS is asked for when a PAC script's address is detected (wininet.md 4.5).
 *
 * Input   suffixes: this machine's DNS suffixes, in the order in which the system uses them. They may come from anybody who answers DHCP:
 *         what is no name of a domain (an address, an empty or too long label, a character that no host name has) gives nothing.
 *         NULL for none.
 * Output  per suffix "wpad" before it, then before what is left of it when its first label is taken away, and so on ("devolution"), in
 *         lower case, without a final dot, none twice; into the arena. A lone "wpad" is never among them.
 * Ends    before a public suffix, where anybody may register the name wpad and answer for everybody else's machines: one that the Public
 *         Suffix List names, of its ICANN and its private section, by name or by wildcard. What lies above such a suffix is not asked for
 *         either. A domain below no suffix that the list knows (corp.local, corp.example) is its owner's down to two labels, and to one
 *         only where the suffix itself has one ("lab").
 * List    the one that is compiled into libpsl. Where libpsl was built without one nothing is asked for.
 */
void wpad_names(struct arena *arena, const struct text_list *suffixes, struct text_list *out);

#endif
