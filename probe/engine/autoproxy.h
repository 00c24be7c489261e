#ifndef MARSPROBE_ENGINE_AUTOPROXY_H
#define MARSPROBE_ENGINE_AUTOPROXY_H

#include "probe/core/evidence.h"

struct run;

/** Ask scripts for the routes that they decide (plan_question), each mechanism only if the one before it gave none; the paths join their
 *  legs as the answers come. run->questions_open says how many are left. */
void autoproxy_start(struct run *run);
/** Leave what is not decided undecided. */
void autoproxy_cut(struct run *run, enum failure failure);

#endif
