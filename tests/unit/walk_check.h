#ifndef MARSPROBE_TESTS_WALK_CHECK_H
#define MARSPROBE_TESTS_WALK_CHECK_H

#include <stdio.h>

#include "check.h"
#include "walk_builder.h"

/* A report of one path with walks, and the place that its verdict names. */

#define ONE "20.190.128.1"
#define OTHER "20.190.128.2"
enum { PORT = 443 };

static inline struct report *one_path(struct path **path)
{
	struct report *report = build_report();
	*path = build_path(report, build_target(report, "login.example", PORT));
	return report;
}

/* Walks of the failing port and its controls; NULL: none was made. */
struct walked {
	const char *syn, *control, *udp;
};

static inline void build_walks(struct report *report, const char *address, const struct walked *walked)
{
	if (walked->syn)
		build_walk(report, address, "walk", PORT, "syn", walked->syn);
	if (walked->control)
		build_walk(report, address, "walk_control", 80, "syn", walked->control);
	if (walked->udp)
		build_walk(report, address, "walk_udp", NOT_MEASURED, "udp", walked->udp);
}

/** place: "HOP LAST_HEARD FIRST_SILENT", "-" for what is not known; NULL: none is told. */
static inline void check_place(const struct verdict *verdict, const char *place)
{
	char told[128];
	snprintf(told, sizeof(told), "%d %s %s", verdict->at.hop, verdict->at.last_heard ? verdict->at.last_heard : "-",
		 verdict->at.first_silent ? verdict->at.first_silent : "-");
	CHECK_TEXT(verdict->has_place ? told : NULL, place);
}

#endif
