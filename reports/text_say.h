#ifndef MARSPROBE_REPORTS_TEXT_SAY_H
#define MARSPROBE_REPORTS_TEXT_SAY_H

#include "probe/core/evidence.h"

struct strbuf;

/** The sentences of the text report; catalogue_en.def holds their words. */
enum say {
	SAY_NOTHING,
#define SAY(id, text) SAY_##id,
#include "reports/catalogue_en.def"
#undef SAY
};

/** What goes into a {name} of a sentence. */
struct fill {
	const char *name;
	const char *value; /* data, hostile: say() makes it safe; NULL is said as "unknown" */
};

/* say(out, SAY_X, FILLS({"name", value}, {"other", value})) */
#define FILLS(...) ((const struct fill[]){__VA_ARGS__, {NULL, NULL}})

/** The words themselves, with their {name}s; "" for SAY_NOTHING. */
const char *say_text(enum say id);

/** Append a sentence. fills ends with a NULL name, or is NULL. A value is escaped (screen.h) and cut after SAY_VALUE_COLUMNS. */
void say(struct strbuf *out, enum say id, const struct fill *fills);
enum { SAY_VALUE_COLUMNS = 600 };

/** The same, for a document with a safe form of its own for data: add() appends a value. */
void say_with(struct strbuf *out, enum say id, const struct fill *fills,
	      void (*add)(struct strbuf *out, const char *value));

/** Which sentence names that value; SAY_NOTHING for the values that have no words. */
enum say say_failure(enum failure failure);
enum say say_stage(enum stage stage);
enum say say_owner(enum owner owner);
/** What the finding is about, as {value}: a device is named alone only where it spoke for itself, else with {silent}, the next one. */
enum say say_subject_of(const struct finding *finding);
const char *finding_first_silent(const struct finding *finding);
enum say say_confidence(double confidence);
enum say say_identity(enum identity_id id);
enum say say_basis(const char *basis);

/** The words for a flow's outcome, a failure string; the string itself where it is none of ours. */
const char *say_outcome(const char *outcome);

#endif
