#include "probe/engine/missing_apis.h"

#include "probe/os/os_machine.h"

enum { MISSING_MAX = 8 };

void missing_apis_record(struct report *report)
{
	const char *names[MISSING_MAX];
	size_t count = os_missing_apis(names, MISSING_MAX);
	for (size_t i = 0; i < count; i++) {
		struct observation *one = report_add_observation(report, OP_LOCAL_FACT);
		one->fact.fact = "missing_api";
		one->fact.subject = names[i];
		one->fact.state = "absent";
	}
}
