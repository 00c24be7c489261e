#ifndef MARSPROBE_CORE_EVIDENCE_FIELDS_H
#define MARSPROBE_CORE_EVIDENCE_FIELDS_H

#include <stdbool.h>
#include <stddef.h>

#include "probe/core/evidence.h"

/*
 * Which member of the document (contract.md section 3) is which member of which struct of evidence.h: one row each.
 * The JSON writer and the JSON reader both walk these tables, so that they cannot differ. A new fact is a new row.
 */
enum field_kind {
	FIELD_TEXT,	    /* const char *; null for NULL */
	FIELD_TEXTS,	    /* struct text_list */
	FIELD_BOOL,	    /* bool; false where it is missing */
	FIELD_INT,	    /* int, 0 or more; null for NOT_MEASURED */
	FIELD_PORT,	    /* int, 0..65535; null for NOT_MEASURED */
	FIELD_COUNT,	    /* int, 0 or more; 0 where it is missing */
	FIELD_INT64,	    /* int64_t, 0 or more; null for NOT_MEASURED */
	FIELD_SIGNED,	    /* int64_t of either sign */
	FIELD_US,	    /* int64_t microseconds, shown as milliseconds with decimals; null for NOT_MEASURED */
	FIELD_AT_MS,	    /* int64_t Unix milliseconds, shown as RFC 3339; null for NOT_MEASURED */
	FIELD_AT_S,	    /* int64_t Unix seconds, shown the same way */
	FIELD_SHARE,	    /* double, 0..1, three decimals */
	FIELD_WORD,	    /* an enum, by its words; its first member where it is missing */
	FIELD_STATUSES,	    /* struct expect: an array of int */
	FIELD_OBJECT,	    /* a struct in the struct */
	FIELD_POINTER,	    /* pointer to a struct; null for NULL */
	FIELD_LIST,	    /* array of structs that grows */
	FIELD_POINTERS,	    /* array of pointers to structs that grows */
	FIELD_ARRAY,	    /* array of structs of a fixed size, with a count */
	FIELD_HEADERS,	    /* struct header_list, as an object; a name that came several times has an array of texts */
	FIELD_LIBRARIES,    /* report.tool.libraries, as an object */
	FIELD_TARGET,	    /* struct target *, by id */
	FIELD_TARGETS,	    /* array of struct target *, by id */
	FIELD_PATHS,	    /* struct path_list, by id */
	FIELD_OBSERVATIONS, /* struct observation_list, by id */
	FIELD_OF_ITS_OP	    /* the members of the observation's own kind, in the same object */
};

/** The words of an enum; the field is passed by address. */
struct field_words {
	const char *(*word)(const void *field);
	bool (*take)(const char *text, void *field); /* false: not one of the words */
};

struct field {
	const char *name;
	enum field_kind kind;
	size_t offset;
	const struct field_words *words;
	const struct field_shape *shape;		    /* of the struct inside, or of each item */
	size_t count_offset;				    /* arrays: where their count stands */
	size_t capacity_offset;				    /* arrays that grow */
	size_t max;					    /* FIELD_ARRAY: how many fit */
	bool (*present)(const void *holder, size_t offset); /* false: shown as null; NULL: always shown */
	void (*mark)(void *holder);			    /* it was read: remember that it is there; may be NULL */
	bool required;					    /* a document without it cannot be used */
	bool left_out; /* FIELD_LIST: where it is empty, the member is absent and not an empty array */
};

struct field_shape {
	const struct field *fields;
	size_t count;
	size_t bytes; /* size of the struct */
};

/* A row: name in the document, kind without FIELD_, struct, member of it; then whatever else the kind needs. */
#define ROW(text, sort, type, member, ...)                                                               \
	{                                                                                                \
		.name = text, .kind = FIELD_##sort, .offset = offsetof(struct type, member), __VA_ARGS__ \
	}
/* An object whose members stand in the same struct as its neighbours do: offsets go on counting from the holder. */
#define GROUP(text, rows, ...)                                                                 \
	{                                                                                      \
		.name = text, .kind = FIELD_OBJECT, .offset = 0, .shape = &(rows), __VA_ARGS__ \
	}
#define GROWING(type, count_member, capacity_member) \
	.count_offset = offsetof(struct type, count_member), .capacity_offset = offsetof(struct type, capacity_member)
#define SHAPE(rows, type)                                                   \
	{                                                                   \
		rows, sizeof(rows) / sizeof((rows)[0]), sizeof(struct type) \
	}

/** The whole document but for its first two members, schema and schema_version. */
extern const struct field_shape report_shape;

/** Parts of it that other documents show in the same form. */
extern const struct field_shape proxy_setting_shape, proxy_call_shape, any_observation_shape;

/** The member `coverage`; its offsets count from struct coverage. */
extern const struct field_shape coverage_shape;

/** What an observation of that kind carries beyond what all have; its offsets count from the observation. */
const struct field_shape *observation_shape(enum op op);

#endif
