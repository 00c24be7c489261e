#ifndef MARSPROBE_TESTS_SAME_H
#define MARSPROBE_TESTS_SAME_H

#include "check.h"
#include "probe/core/text.h"

/* Two reports compared field by field, by hand: what the tables of fields forget shows here. */
#define SAME_TEXT(a, b, member) check_one_text((b)->member, (a)->member, #member, __FILE__, __LINE__)
#define SAME(a, b, member) check_one_int((long long)(b)->member, (long long)(a)->member, #member, __FILE__, __LINE__)

static inline void same_texts(const struct text_list *a, const struct text_list *b)
{
	CHECK_INT(b->count, a->count);
	for (size_t i = 0; i < a->count && i < b->count; i++)
		CHECK_TEXT(b->items[i], a->items[i]);
}

#endif
