#ifndef MARSPROBE_TARGETS_BUILTIN_H
#define MARSPROBE_TARGETS_BUILTIN_H

/* What targets/embed makes of targets/NAME.ini and NAME.txt at build time. */

struct builtin_set {
	const char *name; /* NULL: the end */
	const char *text;
};

extern const struct builtin_set builtin_sets[];
extern const char *const builtin_set_names[];	  /* NULL at the end */
extern const char *const builtin_service_roots[]; /* sha256, sorted, NULL at the end */
extern const char *const builtin_public_roots[];

#endif
