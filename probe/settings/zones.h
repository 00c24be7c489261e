#ifndef MARSPROBE_SETTINGS_ZONES_H
#define MARSPROBE_SETTINGS_ZONES_H

#include <stdbool.h>
#include <stdint.h>

#include "probe/core/evidence.h"

struct arena;
struct registry;
struct url;

/* Internet Explorer's security zones, as the registry assigns them (wininet.md 5.1). Everything is data: nothing here reads the machine. */

enum zone { ZONE_COMPUTER, ZONE_INTRANET, ZONE_TRUSTED, ZONE_INTERNET, ZONE_RESTRICTED };
enum { ZONE_COUNT = ZONE_RESTRICTED + 1 };

/** What an action of a zone may be set to. */
enum { ZONE_ACTION_ALLOW = 0, ZONE_ACTION_PROMPT = 1, ZONE_ACTION_FORBID = 3 };
/** Download of files. */
#define ZONE_FILE_DOWNLOAD "1803"

/** A number of the registry, and where it stands: "KEY\NAME (FILE:LINE)", in the arena. */
struct zone_value {
	uint32_t number;
	const char *place;
};

/** Does the registry say what zones hold for that identity: its hive, or that the machine's alone count? */
bool zones_are_known(const struct registry *registry, enum identity_id identity);

/**
 * What an action ("1803") of a zone is set to for an identity.
 *
 * Order   the machine's policy, the user's policy, the user's own value, the machine's; with Security_HKLM_only the machine's two alone.
 * Returns false where no value is a REG_DWORD; *out is untouched then.
 */
bool zones_action(struct arena *arena, const struct registry *registry, enum identity_id identity, enum zone zone,
		  const char *action, struct zone_value *out);

/** Is Enhanced Security on (IEHarden)? Then EscDomains take the place of Domains. *out: where that stands. */
bool zones_are_hardened(struct arena *arena, const struct registry *registry, enum identity_id identity,
			struct zone_value *out);

struct zone_choice {
	enum zone zone;
	bool by_name; /* an entry of the registry names the host, or a domain above it */
	const char *
		place; /* of the entry, or of the protocol's default; NULL: nothing stands in the registry, so it is the Internet */
};

/**
 * The zone that a URL falls into.
 *
 * Order   the policy list ZoneMapKey, which hides the user's own list; ZoneMap\Domains or EscDomains, Ranges; ProtocolDefaults; the
 *         Internet. Of several entries the most specific counts, then the one of the protocol before `*`.
 * Choice  a domain's own key serves all names below it; so does a policy entry of two labels. Not documented, like the value name `*`.
 * Left out  what Windows finds out by other ways: names without a dot and hosts that bypass the proxy may be intranet.
 */
void zones_of_url(struct arena *arena, const struct registry *registry, enum identity_id identity,
		  const struct url *url, struct zone_choice *out);

#endif
