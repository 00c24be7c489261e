#ifndef MARSPROBE_DIAGNOSIS_CONTRAST_H
#define MARSPROBE_DIAGNOSIS_CONTRAST_H

#include "probe/diagnosis/view.h"

/* One path fails because of what some settings say, and another that works by other settings shows it. */

/** Was the route decided by settings, not by an option? */
bool is_by_settings(const struct view *view);

/** Did a PAC script have the last word on the route? */
bool is_by_script(const struct view *view);

/** Does the other path go another way, and work? other NULL: no. */
bool works_otherwise(const struct view *view, const struct view *other);

/** A path to the same target that works by a proxy which this one does not go by; NULL: none. */
const struct view *other_proxy_works(const struct view *view);

/** A path of the same identity and kind of settings to another target that works by a proxy; NULL: none. */
const struct view *proxy_works_for_other(const struct view *view);

/** Some of what failed here as evidence; and of what worked there, if other is not NULL. */
void contrast_show(const struct view *view, struct verdict *out, const struct view *other);

/** verdict_set() and contrast_show(). Always true. */
bool contrast_verdict(const struct view *view, struct verdict *out, const char *cause, double confidence,
		      const struct view *other);

#endif
