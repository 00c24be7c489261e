#ifndef MARSPROBE_PLAN_AUDIT_PARTS_H
#define MARSPROBE_PLAN_AUDIT_PARTS_H

/* What an audit's answers mean; for its own files. */

#include "probe/plan/audit.h"

enum audit_fate { FATE_UNKNOWN, FATE_PASSES, FATE_DIES, FATE_REFUSED };

enum audit_fate audit_fate(const struct audit *audit, const struct audit_point *point);

/** Has the hop that tells answered for it? */
bool audit_is_heard_at_ttl(const struct audit *audit, const struct audit_point *point);

/** Both are known, and not the same; two that different devices refuse differ too. */
bool audit_fates_differ(const struct audit *audit, const struct audit_point *a, const struct audit_point *b);

/** The TTL that tells, from the walks; NOT_MEASURED: nobody on the way answers. */
int audit_telling_ttl(const struct audit *audit);

/** Do all walks end inside the enterprise? */
bool audit_nobody_leaves(const struct audit *audit);

#endif
