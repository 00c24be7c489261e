#ifndef MARSPROBE_ENGINE_EXPERIMENTS_H
#define MARSPROBE_ENGINE_EXPERIMENTS_H

/* The extra attempts that tell causes apart, side by side with everything else: what looks wrong is told to the plan, and what it wishes is
 * carried out. probe/plan/experiments.h decides which they are. */

#include <stdbool.h>

#include "probe/core/evidence.h"

struct run;
struct trial;
struct transfer_result;

/** Begin to look after the trials that are under way; nothing without options->experiments. */
void experiments_start(struct run *run);

/** A step of the trial has ended so: called with what every transfer showed, before the trial goes on or ends. */
void experiments_note(struct trial *trial, const struct transfer_result *result);

/** Are some under way? */
bool experiments_open(const struct run *run);

/** Nothing is under way any more: write down what was learned beside the attempts. */
void experiments_finish(struct run *run);

/** End all of them; what is open is recorded with that failure. */
void experiments_cut(struct run *run, enum failure failure);

#endif
