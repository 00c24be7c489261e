#ifndef MARSPROBE_CORE_DNS_ANSWERS_H
#define MARSPROBE_CORE_DNS_ANSWERS_H

#include <stdbool.h>

#include "probe/core/evidence.h"

/** A question about that name (NULL: any) to a configured server (NULL: any), as the path's own look-up puts it: no experiment, not the
 *  control. */
bool dns_is_own_question(const struct observation *one, const char *server, const char *name);

/** Is it a question of that experiment to that server? */
bool dns_is_experiment(const struct observation *one, const char *experiment, const char *server);

/** No reply and no error has come so far; it may still be open. */
bool dns_is_unanswered(const struct observation *one);

/** Is the address among the answers? */
bool dns_gives(const struct dns_query *query, const char *address);

/** The first address of the answers that can be reached in the internet; NULL: none. */
const char *dns_public_address(const struct dns_query *query);

/** Is an address odd for a service in the internet: private, loopback, unspecified? False for what is no address. */
bool dns_address_is_odd(const char *text);

/** Does the chain of aliases end at a privatelink name? Names with "privatelink" in the middle of it occur in the public service too. */
bool dns_ends_at_private_link(const struct dns_query *query);

/** Does the name have that label (any case)? */
bool dns_name_has_label(const char *name, const char *label);

#endif
