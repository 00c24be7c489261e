#include "probe/engine/machine.h"

bool machine_registry_read(struct registry *out)
{
	(void)out;
	return false;
}
