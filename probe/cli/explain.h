#ifndef MARSPROBE_CLI_EXPLAIN_H
#define MARSPROBE_CLI_EXPLAIN_H

#include <stdbool.h>

struct strbuf;

/** Explain a cause id or an error id of the backup agent (compares without case). False: nobody knows it; out says what could be asked. */
bool explain(const char *id, struct strbuf *out);

#endif
