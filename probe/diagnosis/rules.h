#ifndef MARSPROBE_DIAGNOSIS_RULES_H
#define MARSPROBE_DIAGNOSIS_RULES_H

#include <stdbool.h>

#include "probe/core/evidence.h"
#include "probe/diagnosis/view.h"

typedef bool (*rule_fn)(const struct view *view, struct verdict *out);

enum rule_kind { RULE_CAUSE, RULE_FALLBACK, RULE_REMARK };

struct rule {
	const char *name; /* "rule_dns_refused" */
	rule_fn holds;
	enum rule_kind kind;
};

/* Every rule of rules.def, declared. */
#define RULE(name) bool name(const struct view *view, struct verdict *out);
#define FALLBACK(name) bool name(const struct view *view, struct verdict *out);
#define REMARK(name) bool name(const struct view *view, struct verdict *out);
#include "probe/diagnosis/rules.def"
#undef RULE
#undef FALLBACK
#undef REMARK

/** The tables of rules in the order in which they are asked. On a proxied path the proxy's come before those about names and
 *  connections: there these are about the proxy, and only say why it cannot be reached. */
struct rule_table {
	const struct rule *rules;
	size_t count;
};
const struct rule_table *const *rules_in_order(bool proxied, size_t *count);

#endif
