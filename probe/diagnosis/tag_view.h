#ifndef MARSPROBE_DIAGNOSIS_TAG_VIEW_H
#define MARSPROBE_DIAGNOSIS_TAG_VIEW_H

#include <stdbool.h>

#include "probe/diagnosis/dns_view.h"
#include "probe/diagnosis/view.h"

/* Where the addresses of a direct path's target stand by the file of service tags. All of it is false and NULL where no file was given, or
 * where it says nothing of this target. */

/** Does the file document where the target's addresses stand? */
bool tags_document(const struct view *view);

/** The fact that says which tags hold that address; NULL: it was not placed. */
const struct observation *tag_fact(const struct view *view, const char *address);

/** It stands in one of the tags in which the target's addresses are documented. */
bool tags_hold(const struct view *view, const char *address);

/** It is an address in the internet, and stands in none of them. Tags are weekly news, and what proves by its certificate to be the service is the service: so not where TLS
 *  with that address verified in this run. */
bool tags_deny(const struct view *view, const char *address);

/** It stands in none of them, and proves all the same to be the service: the file is older than the service. */
bool tags_are_older(const struct view *view, const char *address);

/** The server gives addresses for the name, and tags_deny() (tags_hold()) every one of them. */
bool tags_deny_server(const struct view *view, const struct dns_server *server);
bool tags_hold_server(const struct view *view, const struct dns_server *server);

/** The facts about the addresses that a server gives, as evidence. */
void tags_add_evidence(const struct view *view, struct verdict *out, const struct dns_server *server);

/** "ServiceTags_Public_20260601.json, change 301, has 203.0.113.9 in no prefix of AzureActiveDirectory", in the arena. */
const char *tags_in_words(const struct view *view, const char *address);

#endif
